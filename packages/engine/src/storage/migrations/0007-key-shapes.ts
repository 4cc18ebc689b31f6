import { sql } from 'kysely'
import type { Migration } from './migration.ts'

/**
 * Keys that were issued elsewhere (decision 0017). Two projects may import the same table of keys, so a digest is one
 * project's: the secrets are found by both, and their table, whose primary key that is, is made anew.
 */
export const keyShapes: Migration = {
  number: 7,
  name: 'key-shapes',
  async up(db, { text, integer, table, keyedTable }) {
    await db.schema
      .createTable('key_shapes')
      .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
      .addColumn('name', text, (column) => column.notNull())
      .addColumn('prefix', text, (column) => column.notNull())
      .addColumn('alphabet', text, (column) => column.notNull())
      .addColumn('min_length', integer, (column) => column.notNull())
      .addColumn('length', integer, (column) => column.notNull())
      .addColumn('hash_encoding', text, (column) => column.notNull())
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('key_shapes_pk', ['project_id', 'name'])
      .modifyEnd(table)
      .execute()
    await db.schema
      .createTable('key_secrets_by_project')
      .addColumn('digest', text, (column) => column.notNull())
      .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
      .addColumn('key_id', text, (column) => column.notNull().references('keys.id'))
      .addColumn('locator', text, (column) => column.notNull())
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addColumn('valid_until_ms', integer)
      .addColumn('revoked_at_ms', integer)
      .addColumn('shape', text)
      .addColumn('imported_as', text)
      .addPrimaryKeyConstraint('key_secrets_pk', ['digest', 'project_id'])
      .modifyEnd(keyedTable)
      .execute()
    await sql`
      INSERT INTO key_secrets_by_project
        (digest, project_id, key_id, locator, created_at_ms, valid_until_ms, revoked_at_ms)
      SELECT digest, keys.project_id, key_id, locator, key_secrets.created_at_ms, valid_until_ms, key_secrets.revoked_at_ms
      FROM key_secrets JOIN keys ON keys.id = key_secrets.key_id`.execute(db)
    await db.schema.dropTable('key_secrets').execute()
    await db.schema.alterTable('key_secrets_by_project').renameTo('key_secrets').execute()
    await db.schema.createIndex('key_secrets_by_key').on('key_secrets').column('key_id').execute()
    await db.schema.createIndex('key_secrets_by_locator').on('key_secrets').column('locator').execute()
  },
}
