import type { Migration } from './migration.ts'

/** From where a key was last used, beside when (decision 0016). */
export const lastUse: Migration = {
  number: 11,
  name: 'last-use',
  async up(db, { text }) {
    await db.schema.alterTable('key_usage').addColumn('last_used_from', text).execute()
  },
}
