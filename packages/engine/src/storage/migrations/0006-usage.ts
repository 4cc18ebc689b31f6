import type { Migration } from './migration.ts'

/** How often credentials were verified, by minute, hour and day (decision 0016). */
export const usage: Migration = {
  number: 6,
  name: 'usage',
  async up(db, { text, integer, keyedTable }) {
    await db.schema
      .createTable('usage')
      .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
      .addColumn('resolution', text, (column) => column.notNull())
      .addColumn('start_ms', integer, (column) => column.notNull())
      .addColumn('kind', text, (column) => column.notNull())
      .addColumn('key_id', text, (column) => column.notNull())
      .addColumn('subject', text, (column) => column.notNull())
      .addColumn('outcome', text, (column) => column.notNull())
      .addColumn('tags', text, (column) => column.notNull())
      .addColumn('ip', text, (column) => column.notNull())
      .addColumn('verifications', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('usage_pk', [
        'project_id',
        'resolution',
        'start_ms',
        'kind',
        'key_id',
        'subject',
        'outcome',
        'tags',
        'ip',
      ])
      .modifyEnd(keyedTable)
      .execute()
    await db.schema.createIndex('usage_by_age').on('usage').columns(['resolution', 'start_ms']).execute()
  },
}
