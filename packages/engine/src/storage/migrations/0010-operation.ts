import { sql } from 'kysely'
import type { ColumnTypes, Migration } from './migration.ts'

/** Requests that carried an idempotency key (rule C7), what a project may hold, and how much of it it does. */
export const operation: Migration = {
  number: 10,
  name: 'operation',
  async up(db, types) {
    const { text, integer, bytes, table, keyedTable } = types
    await db.schema
      .createTable('idempotency_keys')
      .addColumn('caller_id', text, (column) => column.notNull())
      .addColumn('key_mac', text, (column) => column.notNull())
      .addColumn('request_mac', text, (column) => column.notNull())
      .addColumn('command_id', text, (column) => column.notNull())
      .addColumn('at_ms', integer, (column) => column.notNull())
      .addColumn('sealed', bytes)
      .addPrimaryKeyConstraint('idempotency_keys_pk', ['caller_id', 'key_mac'])
      .modifyEnd(table)
      .execute()
    await db.schema
      .createIndex('idempotency_keys_by_command')
      .on('idempotency_keys')
      .column('command_id')
      .execute()
    await db.schema
      .createTable('project_caps')
      .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
      .addColumn('cap', text, (column) => column.notNull())
      .addColumn('most', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('project_caps_pk', ['project_id', 'cap'])
      .modifyEnd(keyedTable)
      .execute()
    await db.schema.alterTable('keys').addColumn('created_by', text).execute()
    await createTallies(db, types)
  },
}

/**
 * How many live keys a project and a caller have, and how many subject records a project. Counting a million rows at
 * each creation would cost more than the creation; triggers count whatever writes the rows.
 */
async function createTallies(
  db: Parameters<Migration['up']>[0],
  { text, integer, keyedTable }: ColumnTypes,
): Promise<void> {
  await db.schema
    .createTable('tallies')
    .addColumn('owner', text, (column) => column.notNull())
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('held', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('tallies_pk', ['owner', 'kind'])
    .modifyEnd(keyedTable)
    .execute()
  for (const kind of ['keys', 'subjects']) {
    const live = kind === 'keys' ? sql`verbs IS NULL AND deleted_at_ms IS NULL` : sql`true`
    await sql`INSERT INTO tallies (owner, kind, held)
      SELECT project_id, ${sql.lit(kind)}, count(*) FROM ${sql.table(kind)} WHERE ${live} GROUP BY project_id`.execute(
      db,
    )
  }
  const triggers = [
    ['keys_created', 'INSERT ON keys', 'new.verbs IS NULL', add('new.project_id', 'keys', 1)],
    [
      'keys_created_by',
      'INSERT ON keys',
      'new.verbs IS NULL AND new.created_by IS NOT NULL',
      add('new.created_by', 'keys', 1),
    ],
    [
      'keys_deleted',
      'UPDATE OF deleted_at_ms ON keys',
      'new.verbs IS NULL AND old.deleted_at_ms IS NULL AND new.deleted_at_ms IS NOT NULL',
      add('new.project_id', 'keys', -1),
    ],
    [
      'keys_deleted_by',
      'UPDATE OF deleted_at_ms ON keys',
      'new.verbs IS NULL AND new.created_by IS NOT NULL AND old.deleted_at_ms IS NULL AND new.deleted_at_ms IS NOT NULL',
      add('new.created_by', 'keys', -1),
    ],
    ['subjects_created', 'INSERT ON subjects', 'true', add('new.project_id', 'subjects', 1)],
    ['subjects_deleted', 'DELETE ON subjects', 'true', add('old.project_id', 'subjects', -1)],
  ] as const
  for (const [name, event, condition, step] of triggers) {
    await sql
      .raw(`CREATE TRIGGER tally_${name} AFTER ${event} WHEN ${condition} BEGIN ${step}; END`)
      .execute(db)
  }
}

function add(owner: string, kind: string, step: 1 | -1): string {
  return `INSERT INTO tallies (owner, kind, held) VALUES (${owner}, '${kind}', ${step}) ON CONFLICT (owner, kind) DO UPDATE SET held = held + ${step}`
}
