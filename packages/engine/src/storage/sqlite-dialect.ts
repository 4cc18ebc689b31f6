import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { type DialectAdapter, type Kysely, SqliteDialect, type SqliteDialectConfig } from 'kysely'
import type { Schema } from './schema.ts'
import { toCodedError } from './sqlite-error.ts'

/** Prepared statements kept a connection. An engine has a few hundred different texts; more is a leak. */
const STATEMENT_LIMIT = 500

type Statement = ReturnType<typeof wrap>

/** A connection, and its statements by their texts. Each guards and codes its errors as the dialect's do. */
interface Connection {
  prepare(sql: string): Statement
}

/**
 * Lets Kysely speak to `node:sqlite`, whose statements do not say whether they return rows.
 *
 * `outsideTransaction: 'refuse'` is for the writer: SQLite ends a transaction by itself when the disk is full, and
 * what a command does after that would be stored on its own. It deals with the errors of SQLite by itself. Whoever
 * reads is told in a coded error.
 */
export function sqliteDialect(
  database: DatabaseSync,
  { outsideTransaction }: { readonly outsideTransaction: 'run' | 'refuse' },
): SqliteDialect {
  const statements = new Map<string, Statement>()
  const connection: Connection = {
    prepare: (sql) => {
      if (outsideTransaction === 'refuse' && !database.isTransaction) {
        throw new TypeError('a statement of the writer came outside a transaction')
      }
      const known = statements.get(sql)
      if (known !== undefined) return known
      if (statements.size >= STATEMENT_LIMIT) statements.clear()
      const statement =
        outsideTransaction === 'refuse'
          ? wrap(database.prepare(sql))
          : wrapReading(reading(() => database.prepare(sql)))
      statements.set(sql, statement)
      return statement
    },
  }
  return new DirectDialect(connection, { database: { ...connection, close: () => database.close() } })
}

/** The connection that a database of {@link sqliteDialect} stands on. */
export function connectionOf(db: Kysely<Schema>): Connection {
  const connection = connections.get(db.getExecutor().adapter)
  if (connection === undefined) throw new TypeError('the database was not opened by sqliteDialect')
  return connection
}

/** By the adapter, which a database shares with its transactions. */
const connections = new WeakMap<object, Connection>()

/** Remembers on which connection its databases stand. */
class DirectDialect extends SqliteDialect {
  readonly #connection: Connection

  constructor(connection: Connection, config: SqliteDialectConfig) {
    super(config)
    this.#connection = connection
  }

  override createAdapter(): DialectAdapter {
    const adapter = super.createAdapter()
    connections.set(adapter, this.#connection)
    return adapter
  }
}

function wrapReading(statement: StatementSync): Statement {
  const { reader, all, run, iterate } = wrap(statement)
  return {
    reader,
    all: (parameters) => reading(() => all(parameters)),
    run: (parameters) => reading(() => run(parameters)),
    iterate,
  }
}

function reading<Result>(read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    const coded = toCodedError(error)
    throw coded.code === 'unavailable' ? coded : error
  }
}

function wrap(statement: StatementSync) {
  return {
    reader: statement.columns().length > 0,
    all: (parameters: readonly unknown[]) => statement.all(...(parameters as SQLInputValue[])),
    run: (parameters: readonly unknown[]) => statement.run(...(parameters as SQLInputValue[])),
    iterate: (parameters: readonly unknown[]) => statement.iterate(...(parameters as SQLInputValue[])),
  }
}
