import type { Kysely } from 'kysely'
import { readVersion } from '../storage/migrate.ts'
import type { Schema } from '../storage/schema.ts'

/** The version of the tables from which on a database knows of its journal. */
const FIRST_VERSION = 9

/** Where a database stands in the line of its commits. */
export interface DatabaseLine {
  readonly installationId: string
  readonly masterKeyFingerprint: string
  readonly history: string
  readonly continues: string
  readonly commit: number
  readonly journaled: number
  readonly suspended: string | null
  readonly lastCommitAtMs: number
}

/** Undefined for a database that no start has named yet, or of a version from before the journal. */
export async function readLine(db: Kysely<Schema>): Promise<DatabaseLine | undefined> {
  if ((await readVersion(db)) < FIRST_VERSION) return undefined
  const row = await db.selectFrom('installation').selectAll().executeTakeFirst()
  if (row === undefined || row.installation_id === '') return undefined
  return {
    installationId: row.installation_id,
    masterKeyFingerprint: row.master_key_fingerprint,
    history: row.history,
    continues: row.continues,
    commit: row.commit_number,
    journaled: row.journaled,
    suspended: row.suspended,
    lastCommitAtMs: row.last_commit_at_ms,
  }
}
