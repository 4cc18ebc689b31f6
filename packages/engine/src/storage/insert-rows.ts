import type { CompiledQuery, Insertable, Kysely } from 'kysely'
import type { Schema } from './schema.ts'

type Row<Table extends keyof Schema> = Insertable<Schema[Table]>

/** A statement's worth: large enough that its own cost is shared, small enough that few are ever made. */
const ROWS_A_STATEMENT = 50

/** By the adapter of the database, then by table, columns and number of rows. */
const compiled = new WeakMap<object, Map<string, CompiledQuery>>()

/**
 * Inserts many rows with the same members. For bulk work alone: building a statement of so many values costs several
 * times what running it does, so each is built once for fifty rows, and once for one.
 */
export async function insertRows<Table extends keyof Schema>(
  db: Kysely<Schema>,
  table: Table,
  rows: readonly Row<Table>[],
): Promise<void> {
  const [first] = rows
  if (first === undefined) return
  const columns = Object.keys(first) as (keyof Row<Table> & string)[]
  let at = 0
  while (at < rows.length) {
    const count = rows.length - at >= ROWS_A_STATEMENT ? ROWS_A_STATEMENT : 1
    const chunk = rows.slice(at, at + count)
    const parameters = chunk.flatMap((row) => columns.map((column) => row[column]))
    await db.executeQuery({ ...statementFor(db, table, { columns, rows: chunk }), parameters })
    at += count
  }
}

function statementFor<Table extends keyof Schema>(
  db: Kysely<Schema>,
  table: Table,
  { columns, rows }: { readonly columns: readonly string[]; readonly rows: readonly Row<Table>[] },
): CompiledQuery {
  const { adapter } = db.getExecutor()
  const known = compiled.get(adapter) ?? new Map<string, CompiledQuery>()
  compiled.set(adapter, known)
  const name = `${rows.length} ${table} ${columns.join(' ')}`
  let query = known.get(name)
  if (query === undefined) {
    query = db.insertInto(table).values(rows).compile()
    known.set(name, query)
  }
  return query
}
