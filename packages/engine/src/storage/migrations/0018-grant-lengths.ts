import type { Migration } from './migration.ts'

/**
 * How long the longest lease is that each run has granted, so that the next one can wait for as long by a clock that nobody
 * sets. Of runs before, nobody knows: 0.
 */
export const grantLengths: Migration = {
  number: 18,
  name: 'grant-lengths',
  async up(db, { integer }) {
    await db.schema
      .alterTable('grants')
      .addColumn('longest_ms', integer, (column) => column.notNull().defaultTo(0))
      .execute()
  },
}
