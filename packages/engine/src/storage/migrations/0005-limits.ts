import type { Migration } from './migration.ts'

/** Limits of keys and subjects, and what was reserved of those that are counted in the database. */
export const limits: Migration = {
  number: 5,
  name: 'limits',
  async up(db, { text, integer, keyedTable }) {
    await db.schema.alterTable('keys').addColumn('limits', text).execute()
    await db.schema.alterTable('subjects').addColumn('limits', text).execute()
    await db.schema
      .createTable('limit_counters')
      .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
      .addColumn('holder_kind', text, (column) => column.notNull())
      .addColumn('holder', text, (column) => column.notNull())
      .addColumn('name', text, (column) => column.notNull())
      .addColumn('period', text, (column) => column.notNull())
      .addColumn('start_ms', integer, (column) => column.notNull())
      .addColumn('reserved', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('limit_counters_pk', ['project_id', 'holder_kind', 'holder', 'name', 'period'])
      .modifyEnd(keyedTable)
      .execute()
  },
}
