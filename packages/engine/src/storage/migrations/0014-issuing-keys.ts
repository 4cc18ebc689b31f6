import type { Migration } from './migration.ts'

/** The keys with limits that tokens were derived from: their limits are in every snapshot (rule V5). */
export const issuingKeys: Migration = {
  number: 14,
  name: 'issuing-keys',
  async up(db, { text, keyedTable }) {
    await db.schema
      .createTable('issuing_keys')
      .addColumn('key_id', text, (column) => column.notNull().primaryKey().references('keys.id'))
      .modifyEnd(keyedTable)
      .execute()
  },
}
