import type { Migration } from './migration.ts'

/** The batches of usage that were counted: one that is sent again counts no second time. */
export const usageBatches: Migration = {
  number: 16,
  name: 'usage-batches',
  async up(db, { text, integer, keyedTable }) {
    await db.schema
      .createTable('usage_batches')
      .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
      .addColumn('batch_id', text, (column) => column.notNull())
      .addColumn('stored_at_ms', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('usage_batches_key', ['project_id', 'batch_id'])
      .modifyEnd(keyedTable)
      .execute()
    await db.schema
      .createIndex('usage_batches_by_age')
      .on('usage_batches')
      .columns(['project_id', 'stored_at_ms'])
      .execute()
  },
}
