import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

/** One statement that was run, with what it was given. */
interface Read {
  readonly sql: string
  readonly parameters: readonly SQLInputValue[]
}

/** What is read on the connection from now on, in its order, whichever way it comes there. */
export function watchReads(sqlite: DatabaseSync): readonly Read[] {
  const reads: Read[] = []
  const prepare = sqlite.prepare.bind(sqlite)
  sqlite.prepare = (sql) => {
    const statement = prepare(sql)
    const all = statement.all.bind(statement)
    const watched = (...parameters: SQLInputValue[]): ReturnType<StatementSync['all']> => {
      reads.push({ sql, parameters })
      return all(...parameters)
    }
    statement.all = watched as StatementSync['all']
    return statement
  }
  return reads
}
