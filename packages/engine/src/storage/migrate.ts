import type { Kysely } from 'kysely'
import { CodedError } from '../coded-error.ts'
import { firstTables } from './migrations/0001-first-tables.ts'
import { sessions } from './migrations/0002-sessions.ts'
import { keyring } from './migrations/0003-keyring.ts'
import { audiences } from './migrations/0004-audiences.ts'
import { limits } from './migrations/0005-limits.ts'
import { usage } from './migrations/0006-usage.ts'
import { keyShapes } from './migrations/0007-key-shapes.ts'
import { auditChain } from './migrations/0008-audit-chain.ts'
import { journal } from './migrations/0009-journal.ts'
import { operation } from './migrations/0010-operation.ts'
import { lastUse } from './migrations/0011-last-use.ts'
import { keyNumbers } from './migrations/0012-key-numbers.ts'
import { disabledKeys } from './migrations/0013-disabled-keys.ts'
import { issuingKeys } from './migrations/0014-issuing-keys.ts'
import { grants } from './migrations/0015-grants.ts'
import { usageBatches } from './migrations/0016-usage-batches.ts'
import { ends } from './migrations/0017-ends.ts'
import { grantLengths } from './migrations/0018-grant-lengths.ts'
import { keyFills } from './migrations/0019-key-fills.ts'
import { type Migration, SQLITE_TYPES } from './migrations/migration.ts'
import type { Schema } from './schema.ts'

/** In order; a new one is added at the end. */
const MIGRATIONS: readonly Migration[] = [
  firstTables,
  sessions,
  keyring,
  audiences,
  limits,
  usage,
  keyShapes,
  auditChain,
  journal,
  operation,
  lastUse,
  keyNumbers,
  disabledKeys,
  issuingKeys,
  grants,
  usageBatches,
  ends,
  grantLengths,
  keyFills,
]

/**
 * Brings the tables to this version, inside the caller's transaction: all of it or nothing. Answers the names of the
 * migrations that ran. Throws `unavailable` for a database of a newer version, and for one that is not Claviger's.
 */
export async function migrate(
  db: Kysely<Schema>,
  nowMs: number,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<readonly string[]> {
  const version = await readVersion(db)
  const known = migrations.at(-1)?.number ?? 0
  if (version > known) {
    throw new CodedError(
      'unavailable',
      `The database is of version ${version}, and this Claviger knows ${known}. Start a newer Claviger.`,
    )
  }
  if (version === 0) await createMigrations(db)
  const missing = migrations.filter(({ number }) => number > version)
  for (const migration of missing) {
    await migration.up(db as Kysely<unknown>, SQLITE_TYPES)
    await db
      .insertInto('migrations')
      .values({ number: migration.number, name: migration.name, applied_at_ms: nowMs })
      .execute()
  }
  return missing.map(({ name }) => name)
}

/** The migrations up to a version: what an entry of the journal was written for is brought there first. */
export function migrationsUpTo(version: number): readonly Migration[] {
  return MIGRATIONS.filter(({ number }) => number <= version)
}

/** The number of the last migration that ran; 0 where nothing has been made yet. Looks at every table. */
export async function readVersion(db: Kysely<Schema>): Promise<number> {
  const tables = await db.introspection.getTables()
  if (tables.some(({ name }) => name === 'migrations')) return lastMigration(db)
  if (tables.length === 0) return 0
  throw new CodedError(
    'unavailable',
    "The database holds another program's tables. Give Claviger its own file.",
  )
}

/** The version of a database that has been migrated. */
export async function lastMigration(db: Kysely<Schema>): Promise<number> {
  const last = await db
    .selectFrom('migrations')
    .select(({ fn }) => fn.max('number').as('version'))
    .executeTakeFirstOrThrow()
  return last.version ?? 0
}

async function createMigrations(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('migrations')
    .ifNotExists()
    .addColumn('number', SQLITE_TYPES.integer, (column) => column.primaryKey())
    .addColumn('name', SQLITE_TYPES.text, (column) => column.notNull())
    .addColumn('applied_at_ms', SQLITE_TYPES.integer, (column) => column.notNull())
    .modifyEnd(SQLITE_TYPES.table)
    .execute()
}
