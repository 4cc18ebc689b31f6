import type { Expression, Kysely } from 'kysely'
import { sql } from 'kysely'

/** One step forward. There are none back: a backup is. */
export interface Migration {
  /** Rises from 1; the highest that ran is the database's version. */
  readonly number: number
  readonly name: string
  /** Runs inside a transaction. What is released is never edited: a later migration changes it. */
  up(db: Kysely<unknown>, types: ColumnTypes): Promise<void>
}

/** What a database calls the kinds of column of schema.ts, so that one migration serves each. */
export interface ColumnTypes {
  readonly text: Expression<unknown>
  /** Whole numbers up to 2^53: epoch milliseconds, counters, and booleans as 0 or 1. */
  readonly integer: Expression<unknown>
  readonly bytes: Expression<unknown>
  /** What ends the definition of a table. */
  readonly table: Expression<unknown>
  /** The same for a table of short rows that are found by their primary key: one look-up, not two. */
  readonly keyedTable: Expression<unknown>
}

/** STRICT, or SQLite stores any value in any column. */
export const SQLITE_TYPES: ColumnTypes = {
  text: sql`text`,
  integer: sql`integer`,
  bytes: sql`blob`,
  table: sql`strict`,
  keyedTable: sql`strict, without rowid`,
}
