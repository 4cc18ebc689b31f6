import type { Migration } from './migration.ts'

/** Sessions, and the digests of their refresh tokens; schema.ts says what the columns mean. */
export const sessions: Migration = {
  number: 2,
  name: 'sessions',
  async up(db, { text, integer, table, keyedTable }) {
    await db.schema
      .createTable('sessions')
      .addColumn('id', text, (column) => column.primaryKey().notNull())
      .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
      .addColumn('subject', text, (column) => column.notNull())
      .addColumn('client_id', text, (column) => column.notNull())
      .addColumn('audience', text, (column) => column.notNull())
      .addColumn('roles', text)
      .addColumn('permissions', text)
      .addColumn('scopes', text)
      .addColumn('claims', text, (column) => column.notNull())
      .addColumn('algorithm', text)
      .addColumn('access_ttl_seconds', integer, (column) => column.notNull())
      .addColumn('idle_seconds', integer, (column) => column.notNull())
      .addColumn('device', text)
      .addColumn('ip', text)
      .addColumn('pos', text, (column) => column.notNull())
      .addColumn('generation', integer, (column) => column.notNull())
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addColumn('refreshed_at_ms', integer, (column) => column.notNull())
      .addColumn('refresh_until_ms', integer, (column) => column.notNull())
      .addColumn('expires_at_ms', integer, (column) => column.notNull())
      .addColumn('tokens_until_ms', integer, (column) => column.notNull())
      .addColumn('ended_at_ms', integer)
      .addColumn('end_reason', text)
      .modifyEnd(table)
      .execute()
    await db.schema.createIndex('sessions_by_project').on('sessions').columns(['project_id', 'id']).execute()
    await db.schema
      .createIndex('sessions_by_subject')
      .on('sessions')
      .columns(['project_id', 'subject', 'id'])
      .execute()
    await db.schema
      .createTable('refresh_tokens')
      .addColumn('digest', text, (column) => column.primaryKey().notNull())
      .addColumn('session_id', text, (column) => column.notNull().references('sessions.id'))
      .addColumn('generation', integer, (column) => column.notNull())
      .addColumn('replaced_at_ms', integer)
      .modifyEnd(keyedTable)
      .execute()
  },
}
