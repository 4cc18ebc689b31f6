import type { Compilable, CompiledQuery, Kysely } from 'kysely'
import type { Schema } from './schema.ts'

type Build<Row, Name, CountName> = (
  db: Kysely<Schema>,
  parameter: (name: Name) => string,
  count: (name: CountName) => number,
) => Compilable<Row>

/**
 * A query that is built once and run often, for the few that stand on a hot path: building one anew costs five times
 * what running it does.
 *
 * `build` writes `parameter(name)` wherever a text belongs that each call brings, and `count(name)` for a number.
 */
export class PreparedQuery<Row, Name extends string, CountName extends string = never> {
  readonly #build: Build<Row, Name, CountName>
  /** By the adapter of the database, which all transactions of a connection share. */
  readonly #compiled = new WeakMap<object, CompiledQuery<Row>>()

  constructor(build: Build<Row, Name, CountName>) {
    this.#build = build
  }

  async execute(
    db: Kysely<Schema>,
    values: Readonly<Record<Name, string> & Record<CountName, number>>,
  ): Promise<readonly Row[]> {
    const { adapter } = db.getExecutor()
    let query = this.#compiled.get(adapter)
    if (query === undefined) {
      query = this.#build(db, mark, markCount).compile()
      this.#compiled.set(adapter, query)
    }
    const parameters = query.parameters.map((value) =>
      isMark(value) ? values[nameOf(value) as Name | CountName] : value,
    )
    const { rows } = await db.executeQuery<Row>({ ...query, parameters })
    return rows
  }
}

/** No value that is written into a query itself begins like this. */
const MARK = '\u0000parameter:'

function mark(name: string): string {
  return MARK + name
}

/** The text that stands in for a number until a call brings it. */
function markCount(name: string): number {
  return mark(name) as unknown as number
}

function isMark(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(MARK)
}

function nameOf(marked: string): string {
  return marked.slice(MARK.length)
}
