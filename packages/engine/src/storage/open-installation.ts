import type { Kysely } from 'kysely'
import { appendEntry } from '../audit/append-entry.ts'
import type { AuditChain } from '../audit/audit-chain.ts'
import { CodedError } from '../coded-error.ts'
import { MANAGEMENT_PROJECT } from '../scope.ts'
import type { Schema } from './schema.ts'

/** How far the clock may be behind the last commit: machines that are set by network time differ by less (rule B2). */
const MAX_CLOCK_BEHIND_MS = 60_000

export interface InstallationStart {
  readonly nowMs: number
  readonly masterKeyFingerprint: string
  readonly clockBehind: 'refuse' | 'accept'
  readonly auditChain: AuditChain
  /** Names the audit entry of an accepted clock. */
  readonly commandId: string
}

/**
 * Makes the database's one row at the first start, and at later ones compares: throws `unavailable` for another
 * master key than the one it was made with, and for a clock far behind its last commit (rule B2).
 */
export async function openInstallation(db: Kysely<Schema>, start: InstallationStart): Promise<void> {
  const row = await db.selectFrom('installation').selectAll().executeTakeFirst()
  if (row === undefined) {
    await db
      .insertInto('installation')
      .values({
        id: 1,
        created_at_ms: start.nowMs,
        master_key_fingerprint: start.masterKeyFingerprint,
        last_commit_at_ms: start.nowMs,
      })
      .execute()
    return
  }
  if (row.master_key_fingerprint !== start.masterKeyFingerprint) {
    throw new CodedError(
      'unavailable',
      'The master key is not the one that this database was made with. Bring the right one back.',
    )
  }
  const behindMs = row.last_commit_at_ms - start.nowMs
  if (behindMs <= MAX_CLOCK_BEHIND_MS) return
  if (start.clockBehind === 'refuse') {
    throw new CodedError(
      'unavailable',
      `The clock is ${Math.ceil(behindMs / 1000)} s behind the last commit. Set it right, or accept it on purpose.`,
    )
  }
  await db.updateTable('installation').set({ last_commit_at_ms: start.nowMs }).execute()
  await appendEntry(db, start.auditChain, {
    projectId: MANAGEMENT_PROJECT,
    action: 'installation.clock-accepted',
    target: 'installation',
    detail: { lastCommitAtMs: row.last_commit_at_ms, behindMs },
    atMs: start.nowMs,
    commandId: start.commandId,
    actor: { kind: 'installation' },
  })
}
