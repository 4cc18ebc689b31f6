import type { Migration } from './migration.ts'

/** What ties a database to its journal and its backups; schema.ts says what the columns mean. */
export const journal: Migration = {
  number: 9,
  name: 'journal',
  async up(db, { text, integer }) {
    const names = ['installation_id', 'history', 'continues'] as const
    for (const name of names) {
      await db.schema
        .alterTable('installation')
        .addColumn(name, text, (column) => column.notNull().defaultTo(''))
        .execute()
    }
    for (const name of ['commit_number', 'journaled'] as const) {
      await db.schema
        .alterTable('installation')
        .addColumn(name, integer, (column) => column.notNull().defaultTo(0))
        .execute()
    }
    await db.schema.alterTable('installation').addColumn('suspended', text).execute()
  },
}
