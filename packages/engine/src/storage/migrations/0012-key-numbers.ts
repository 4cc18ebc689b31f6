import { type Kysely, sql } from 'kysely'
import type { Migration } from './migration.ts'

/**
 * Keys get a number, by which their secrets name them (decision 0029). SQLite stores a table in the order of its integer
 * key: whoever looks a digest up then reads one leaf of `keys`, and none of an index on ids before it.
 */
export const keyNumbers: Migration = {
  number: 12,
  name: 'key-numbers',
  async up(db, { text, integer, keyedTable }) {
    const belongings = await readBelongings(db)
    await sql`${sql.raw(await numberedDefinition(db))}`.execute(db)
    await copy(db, 'keys', 'numbered_keys')
    await db.schema
      .createTable('numbered_secrets')
      .addColumn('digest', text, (column) => column.notNull())
      .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
      .addColumn('key_number', integer, (column) => column.notNull().references('numbered_keys.number'))
      .addColumn('key_id', text, (column) => column.notNull())
      .addColumn('locator', text, (column) => column.notNull())
      .addColumn('created_at_ms', integer, (column) => column.notNull())
      .addColumn('valid_until_ms', integer)
      .addColumn('revoked_at_ms', integer)
      .addColumn('shape', text)
      .addColumn('imported_as', text)
      .addPrimaryKeyConstraint('numbered_secrets_pk', ['digest', 'project_id'])
      .modifyEnd(keyedTable)
      .execute()
    await sql`INSERT INTO numbered_secrets
      SELECT digest, key_secrets.project_id, number, key_id, locator, key_secrets.created_at_ms, valid_until_ms,
        key_secrets.revoked_at_ms, shape, imported_as
      FROM key_secrets JOIN numbered_keys ON numbered_keys.id = key_secrets.key_id`.execute(db)
    await db.schema.dropTable('key_secrets').execute()
    await db.schema.dropTable('keys').execute()
    await db.schema.alterTable('numbered_keys').renameTo('keys').execute()
    await db.schema.alterTable('numbered_secrets').renameTo('key_secrets').execute()
    for (const definition of belongings) await sql.raw(definition).execute(db)
  },
}

/** The indexes and triggers of both tables, which go when the tables go. */
async function readBelongings(db: Kysely<unknown>): Promise<readonly string[]> {
  const { rows } = await sql<{ sql: string }>`SELECT sql FROM sqlite_schema
    WHERE tbl_name IN ('keys', 'key_secrets') AND type IN ('index', 'trigger') AND sql IS NOT NULL`.execute(
    db,
  )
  return rows.map((row) => row.sql)
}

/** The table of keys as it stands, with all that earlier versions added to it, and a number. */
async function numberedDefinition(db: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{
    sql: string
  }>`SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'keys'`.execute(db)
  const before = rows[0]?.sql ?? ''
  const after = before.replace(
    'CREATE TABLE "keys" ("id" text not null primary key,',
    'CREATE TABLE "numbered_keys" ("number" integer primary key, "id" text not null unique,',
  )
  if (after === before) throw new TypeError('the table of keys is not as earlier versions made it')
  return after
}

/** All columns of the one table, in the order of their names in it, into those of the other. */
async function copy(db: Kysely<unknown>, from: string, to: string): Promise<void> {
  const { rows } = await sql<{ name: string }>`SELECT name FROM pragma_table_info(${from})`.execute(db)
  const columns = sql.join(rows.map(({ name }) => sql.ref(name)))
  await sql`INSERT INTO ${sql.table(to)} (${columns}) SELECT ${columns} FROM ${sql.table(from)} ORDER BY id`.execute(
    db,
  )
}
