import type { Kysely } from 'kysely'
import { appendEntry } from '../audit/append-entry.ts'
import type { AuditChain } from '../audit/audit-chain.ts'
import { CodedError } from '../coded-error.ts'
import { type Random, randomBase62 } from '../random.ts'
import { MANAGEMENT_PROJECT } from '../scope.ts'
import { readVersion } from './migrate.ts'
import type { InstallationTable, Schema } from './schema.ts'

/** How far the clock may be behind the last commit: machines that are set by network time differ by less (rule B2). */
const MAX_CLOCK_BEHIND_MS = 60_000

export interface InstallationStart {
  readonly nowMs: number
  readonly masterKeyFingerprint: string
  readonly clockBehind: 'refuse' | 'accept'
  readonly auditChain: AuditChain
  /** Names the audit entry of an accepted clock. */
  readonly commandId: string
  /** Taken by a database that has no names yet: what its journal and its backups go by. */
  readonly names: InstallationNames
}

export interface InstallationNames {
  readonly installationId: string
  /** The line of commits that begins with the installation. */
  readonly history: string
}

const NAME_LENGTH = 22
const HISTORY_LENGTH = 12

export function newInstallationNames(random: Random): InstallationNames {
  return { installationId: randomBase62(NAME_LENGTH, random), history: newHistory(random) }
}

export function newHistory(random: Random): string {
  return randomBase62(HISTORY_LENGTH, random)
}

/** Throws `unavailable` for a database that was made with another master key; one that is still empty has none. */
export async function requireMasterKey(db: Kysely<Schema>, fingerprint: string): Promise<void> {
  if ((await readVersion(db)) === 0) return
  const row = await db.selectFrom('installation').select('master_key_fingerprint').executeTakeFirst()
  if (row !== undefined) requireFingerprint(row, fingerprint)
}

function requireFingerprint(
  row: Pick<InstallationTable, 'master_key_fingerprint'>,
  fingerprint: string,
): void {
  if (row.master_key_fingerprint === fingerprint) return
  throw new CodedError(
    'unavailable',
    'The master key is not the one that this database was made with. Bring the right one back.',
  )
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
        installation_id: start.names.installationId,
        history: start.names.history,
        continues: '',
        commit_number: 0,
        journaled: 0,
        suspended: null,
      })
      .execute()
    return
  }
  requireFingerprint(row, start.masterKeyFingerprint)
  if (row.installation_id === '') {
    const { installationId, history } = start.names
    await db.updateTable('installation').set({ installation_id: installationId, history }).execute()
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
