import type { Kysely } from 'kysely'
import { migrate } from '../storage/migrate.ts'
import type { Schema } from '../storage/schema.ts'
import type { AuditChain } from './audit-chain.ts'
import { chainOldEntries } from './chain-old-entries.ts'

/**
 * Brings the tables to this version, and chains the entries of a database from before the chain. Inside the caller's
 * transaction.
 */
export async function migrateAudited(
  db: Kysely<Schema>,
  auditChain: AuditChain,
  migration: { atMs: number; commandId: string },
): Promise<void> {
  const migrated = await migrate(db, migration.atMs)
  if (migrated.includes('audit-chain')) await chainOldEntries(db, auditChain, migration)
}
