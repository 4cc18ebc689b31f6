import type { Migration } from './migration.ts'

/** Until when the leases run at most that each run of a server has granted (rule L3). */
export const grants: Migration = {
  number: 15,
  name: 'grants',
  async up(db, { text, integer, table }) {
    await db.schema
      .createTable('grants')
      .addColumn('boot_id', text, (column) => column.primaryKey().notNull())
      .addColumn('until_ms', integer, (column) => column.notNull())
      .modifyEnd(table)
      .execute()
  },
}
