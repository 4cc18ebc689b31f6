import { type Kysely, sql } from 'kysely'
import type { ColumnTypes, Migration } from './migration.ts'

/**
 * Signing keys get the times of their rotation, and are named within their project: two projects may bring keys that were
 * given the same `kid` elsewhere. A primary key is not altered in place, so the table is made anew.
 */
export const keyring: Migration = {
  number: 3,
  name: 'keyring',
  async up(db, types) {
    await createSigningKeys(db, types)
    await sql`
      INSERT INTO signing_keys_new
      SELECT id, project_id, algorithm, status, public_jwk, private_sealed, created_at_ms, NULL, activated_at_ms, NULL, NULL, retired_at_ms
      FROM signing_keys`.execute(db)
    await db.schema.dropTable('signing_keys').execute()
    await db.schema.alterTable('signing_keys_new').renameTo('signing_keys').execute()
    await db.schema.createIndex('signing_keys_by_status').on('signing_keys').column('status').execute()
    await createSchedules(db, types)
  },
}

async function createSigningKeys(
  db: Kysely<unknown>,
  { text, integer, bytes, table }: ColumnTypes,
): Promise<void> {
  await db.schema
    .createTable('signing_keys_new')
    .addColumn('id', text, (column) => column.notNull())
    .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
    .addColumn('algorithm', text, (column) => column.notNull())
    .addColumn('status', text, (column) => column.notNull())
    .addColumn('public_jwk', text, (column) => column.notNull())
    .addColumn('private_sealed', bytes, (column) => column.notNull())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .addColumn('activate_at_ms', integer)
    .addColumn('activated_at_ms', integer)
    .addColumn('superseded_at_ms', integer)
    .addColumn('tokens_until_ms', integer)
    .addColumn('retired_at_ms', integer)
    .addPrimaryKeyConstraint('signing_keys_pk', ['project_id', 'id'])
    .modifyEnd(table)
    .execute()
}

async function createSchedules(
  db: Kysely<unknown>,
  { text, integer, keyedTable }: ColumnTypes,
): Promise<void> {
  await db.schema
    .createTable('signing_schedules')
    .addColumn('project_id', text, (column) => column.primaryKey().notNull().references('projects.id'))
    .addColumn('period_seconds', integer)
    .modifyEnd(keyedTable)
    .execute()
}
