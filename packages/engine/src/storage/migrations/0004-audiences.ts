import type { Migration } from './migration.ts'

/** What tokens for an audience get unless the call says otherwise. */
export const audiences: Migration = {
  number: 4,
  name: 'audiences',
  async up(db, { text, integer, table }) {
    await db.schema
      .createTable('audiences')
      .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
      .addColumn('audience', text, (column) => column.notNull())
      .addColumn('ttl_seconds', integer)
      .addColumn('algorithm', text)
      .addColumn('claims', text, (column) => column.notNull())
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addColumn('changed_at_ms', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('audiences_pk', ['project_id', 'audience'])
      .modifyEnd(table)
      .execute()
  },
}
