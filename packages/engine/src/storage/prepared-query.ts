import type { Compilable, Kysely } from 'kysely'
import type { Schema } from './schema.ts'
import { connectionOf } from './sqlite-dialect.ts'

/** Stands wherever a value belongs that each call brings. */
export type Parameter<Values> = <Name extends keyof Values & string>(name: Name) => Values[Name]

interface Prepared {
  readonly sql: string
  /** What each of its parameters is: a value of the query's own, or one that a call brings. */
  readonly places: readonly ({ readonly name: string } | { readonly value: unknown })[]
}

/**
 * A query that is built once and run often, for those that stand on a hot path: building one anew costs five times what
 * running it does. It runs on the connection itself, for what Kysely's promises cost is more than the query.
 *
 * `build` writes `parameter(name)` wherever a value belongs that each call brings.
 */
export class PreparedQuery<Row, Values extends object> {
  readonly #build: (db: Kysely<Schema>, parameter: Parameter<Values>) => Compilable<Row>
  /** By the adapter of the database, which all transactions of a connection share. */
  readonly #prepared = new WeakMap<object, Prepared>()

  constructor(build: (db: Kysely<Schema>, parameter: Parameter<Values>) => Compilable<Row>) {
    this.#build = build
  }

  /** The rows; none of a statement that returns none. */
  async execute(db: Kysely<Schema>, values: Values): Promise<readonly Row[]> {
    const { sql, places } = this.#preparedFor(db)
    const parameters = places.map((place) =>
      'name' in place ? values[place.name as keyof Values] : place.value,
    )
    const statement = connectionOf(db).prepare(sql)
    if (statement.reader) return statement.all(parameters) as Row[]
    statement.run(parameters)
    return []
  }

  #preparedFor(db: Kysely<Schema>): Prepared {
    const { adapter } = db.getExecutor()
    const known = this.#prepared.get(adapter)
    if (known !== undefined) return known
    const query = this.#build(db, mark as Parameter<Values>).compile()
    const places = query.parameters.map((value) => (isMark(value) ? { name: nameOf(value) } : { value }))
    const prepared = { sql: query.sql, places }
    this.#prepared.set(adapter, prepared)
    return prepared
  }
}

/** No value that is written into a query itself begins like this. */
const MARK = '\u0000parameter:'

function mark(name: string): string {
  return MARK + name
}

function isMark(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(MARK)
}

function nameOf(marked: string): string {
  return marked.slice(MARK.length)
}
