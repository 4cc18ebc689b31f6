import type { Kysely } from 'kysely'
import type { ColumnTypes, Migration } from './migration.ts'

/**
 * The tables of the first version; schema.ts says what their columns mean. Ids are UUIDv7, so that an index that
 * ends in one reads in the order of creation.
 */
export const firstTables: Migration = {
  number: 1,
  name: 'first-tables',
  async up(db, types) {
    await createInstallation(db, types)
    await createFeed(db, types)
    await createRights(db, types)
    await createKeys(db, types)
    await createSigning(db, types)
    await createRevocations(db, types)
    await createRecords(db, types)
  },
}

async function createInstallation(db: Kysely<unknown>, { text, integer, table }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('installation')
    .addColumn('id', integer, (column) => column.primaryKey())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .addColumn('master_key_fingerprint', text, (column) => column.notNull())
    .addColumn('last_commit_at_ms', integer, (column) => column.notNull())
    .modifyEnd(table)
    .execute()
  await db.schema
    .createTable('projects')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('name', text, (column) => column.notNull().unique())
    .addColumn('key_prefix', text, (column) => column.notNull())
    .addColumn('algorithm', text, (column) => column.notNull())
    .addColumn('epoch', text, (column) => column.notNull())
    .addColumn('head', integer, (column) => column.notNull())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .modifyEnd(table)
    .execute()
}

async function createFeed(
  db: Kysely<unknown>,
  { text, integer, table, keyedTable }: ColumnTypes,
): Promise<void> {
  await db.schema
    .createTable('epochs')
    .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
    .addColumn('epoch', text, (column) => column.notNull())
    .addColumn('began_at_ms', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('epochs_pk', ['project_id', 'epoch'])
    .modifyEnd(keyedTable)
    .execute()
  await db.schema
    .createTable('changes')
    .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
    .addColumn('epoch', text, (column) => column.notNull())
    .addColumn('number', integer, (column) => column.notNull())
    .addColumn('command_id', text, (column) => column.notNull())
    .addColumn('at_ms', integer, (column) => column.notNull())
    .addColumn('facts', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('changes_pk', ['project_id', 'epoch', 'number'])
    .modifyEnd(table)
    .execute()
  await db.schema.createIndex('changes_by_command').on('changes').column('command_id').execute()
  await db.schema
    .createTable('commands')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('at_ms', integer, (column) => column.notNull())
    .addColumn('result', text, (column) => column.notNull())
    .modifyEnd(table)
    .execute()
}

async function createRights(db: Kysely<unknown>, { text, integer, table }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('roles')
    .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('permissions', text, (column) => column.notNull())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .addColumn('changed_at_ms', integer, (column) => column.notNull())
    .addColumn('deleted_at_ms', integer)
    .addPrimaryKeyConstraint('roles_pk', ['project_id', 'name'])
    .modifyEnd(table)
    .execute()
  await db.schema
    .createTable('subjects')
    .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
    .addColumn('issuer', text, (column) => column.notNull())
    .addColumn('subject', text, (column) => column.notNull())
    .addColumn('roles', text)
    .addColumn('permissions', text)
    .addColumn('disabled', integer, (column) => column.notNull())
    .addColumn('metadata', text, (column) => column.notNull())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .addColumn('changed_at_ms', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('subjects_pk', ['project_id', 'issuer', 'subject'])
    .modifyEnd(table)
    .execute()
}

async function createKeys(
  db: Kysely<unknown>,
  { text, integer, table, keyedTable }: ColumnTypes,
): Promise<void> {
  await db.schema
    .createTable('keys')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('prefix', text, (column) => column.notNull())
    .addColumn('subject', text, (column) => column.notNull())
    .addColumn('roles', text, (column) => column.notNull())
    .addColumn('permissions', text, (column) => column.notNull())
    .addColumn('scopes', text)
    .addColumn('metadata', text, (column) => column.notNull())
    .addColumn('ip_allow', text)
    .addColumn('disabled', integer, (column) => column.notNull())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .addColumn('changed_at_ms', integer, (column) => column.notNull())
    .addColumn('expires_at_ms', integer)
    .addColumn('not_before_ms', integer)
    .addColumn('pos', text, (column) => column.notNull())
    .addColumn('revoked_at_ms', integer)
    .addColumn('revoke_reason', text)
    .addColumn('deleted_at_ms', integer)
    .addColumn('managed_project_id', text, (column) => column.references('projects.id'))
    .addColumn('verbs', text)
    .addColumn('grants', text)
    .modifyEnd(table)
    .execute()
  await db.schema.createIndex('keys_by_project').on('keys').columns(['project_id', 'id']).execute()
  await db.schema.createIndex('keys_by_subject').on('keys').columns(['project_id', 'subject', 'id']).execute()
  await db.schema
    .createTable('key_secrets')
    .addColumn('digest', text, (column) => column.primaryKey().notNull())
    .addColumn('key_id', text, (column) => column.notNull().references('keys.id'))
    .addColumn('locator', text, (column) => column.notNull())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .addColumn('valid_until_ms', integer)
    .addColumn('revoked_at_ms', integer)
    .modifyEnd(keyedTable)
    .execute()
  await db.schema.createIndex('key_secrets_by_key').on('key_secrets').column('key_id').execute()
  await db.schema.createIndex('key_secrets_by_locator').on('key_secrets').column('locator').execute()
}

async function createSigning(
  db: Kysely<unknown>,
  { text, integer, bytes, table }: ColumnTypes,
): Promise<void> {
  await db.schema
    .createTable('signing_keys')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
    .addColumn('algorithm', text, (column) => column.notNull())
    .addColumn('status', text, (column) => column.notNull())
    .addColumn('public_jwk', text, (column) => column.notNull())
    .addColumn('private_sealed', bytes, (column) => column.notNull())
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .addColumn('activated_at_ms', integer)
    .addColumn('retired_at_ms', integer)
    .modifyEnd(table)
    .execute()
  await db.schema
    .createIndex('signing_keys_by_project')
    .on('signing_keys')
    .columns(['project_id', 'id'])
    .execute()
  await db.schema
    .createTable('public_urls')
    .addColumn('url', text, (column) => column.primaryKey().notNull())
    .addColumn('since_ms', integer, (column) => column.notNull())
    .addColumn('until_ms', integer)
    .modifyEnd(table)
    .execute()
}

async function createRevocations(db: Kysely<unknown>, { text, integer, table }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('revocations')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('project_id', text, (column) => column.notNull().references('projects.id'))
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('target', text, (column) => column.notNull())
    .addColumn('issuer', text, (column) => column.notNull())
    .addColumn('only', text)
    .addColumn('ban', integer, (column) => column.notNull())
    .addColumn('epoch', text, (column) => column.notNull())
    .addColumn('number', integer, (column) => column.notNull())
    .addColumn('issued_before_ms', integer)
    .addColumn('tokens_until_ms', integer)
    .addColumn('reason', text)
    .addColumn('created_at_ms', integer, (column) => column.notNull())
    .addColumn('lifted_at_ms', integer)
    .modifyEnd(table)
    .execute()
  await db.schema
    .createIndex('revocations_by_target')
    .on('revocations')
    .columns(['project_id', 'issuer', 'kind', 'target'])
    .execute()
  await db.schema
    .createIndex('revocations_by_project')
    .on('revocations')
    .columns(['project_id', 'id'])
    .execute()
}

/** What outlives its project and its key: no reference holds it to them. */
async function createRecords(
  db: Kysely<unknown>,
  { text, integer, table, keyedTable }: ColumnTypes,
): Promise<void> {
  await db.schema
    .createTable('audit')
    .addColumn('sequence', integer, (column) => column.primaryKey().autoIncrement())
    .addColumn('project_id', text, (column) => column.notNull())
    .addColumn('at_ms', integer, (column) => column.notNull())
    .addColumn('command_id', text, (column) => column.notNull())
    .addColumn('actor', text, (column) => column.notNull())
    .addColumn('action', text, (column) => column.notNull())
    .addColumn('target', text, (column) => column.notNull())
    .addColumn('detail', text, (column) => column.notNull())
    .modifyEnd(table)
    .execute()
  await db.schema.createIndex('audit_by_project').on('audit').columns(['project_id', 'sequence']).execute()
  await db.schema
    .createTable('key_usage')
    .addColumn('key_id', text, (column) => column.primaryKey().notNull())
    .addColumn('last_used_at_ms', integer, (column) => column.notNull())
    .addColumn('verifications', integer, (column) => column.notNull())
    .modifyEnd(keyedTable)
    .execute()
}
