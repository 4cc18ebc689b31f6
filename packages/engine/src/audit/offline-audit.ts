import { existsSync } from 'node:fs'
import type { Kysely } from 'kysely'
import { CodedError } from '../coded-error.ts'
import { resolveProject } from '../projects/resolve-project.ts'
import { systemRandom } from '../random.ts'
import { loadMasterKey } from '../storage/master-key.ts'
import { type OpenDatabase, openForReading, parseDatabaseAddress } from '../storage/open-database.ts'
import type { Schema } from '../storage/schema.ts'
import { type AuditKeys, createAuditKeys } from './audit-keys.ts'
import { type AuditCheckpoint, pointOf } from './checkpoint.ts'
import type { SignedPoint } from './signed-point.ts'
import { type AuditVerification, verifyChain } from './verify-chain.ts'
import { type AuditExport, verifyExport } from './verify-export.ts'

/** The audit of a data folder, read without a server: it need not be trusted, nor be running, nor be stopped. */
export interface OfflineAudit {
  /**
   * Checks a project's chain, or every project's. Checkpoints from elsewhere are held against the chains of their
   * projects. Throws `not_found` for a project that there is not.
   */
  verify(asked: {
    readonly project?: string
    readonly checkpoints?: readonly AuditCheckpoint[]
  }): Promise<readonly AuditVerification[]>
  /** Checks an export against the master key alone. */
  verifyExport(lines: AuditExport, checkpoints?: readonly AuditCheckpoint[]): Promise<AuditVerification>
  close(): void
}

/** Throws `unavailable` for a folder without an installation, another master key, or a version from before the chain. */
export async function openOfflineAudit(options: {
  /** `sqlite:FILE`. */
  readonly database: string
  /** 32 bytes, base64url. Default: the file `master-key` beside the database. */
  readonly masterKey?: string
}): Promise<OfflineAudit> {
  const { file, folder } = parseDatabaseAddress(options.database)
  if (!existsSync(file)) {
    throw new CodedError('unavailable', `There is no installation in ${folder}. Name its folder with --data.`)
  }
  const masterKey = loadMasterKey({
    folder,
    databaseFile: file,
    text: options.masterKey,
    random: systemRandom(),
  })
  const database = openForReading(file)
  try {
    await checkInstallation(database, masterKey.fingerprint)
    return offlineAudit(database, createAuditKeys(masterKey))
  } catch (error) {
    database.sqlite.close()
    throw error
  }
}

function offlineAudit({ db, sqlite }: OpenDatabase, keys: AuditKeys): OfflineAudit {
  return {
    async verify({ project, checkpoints = [] }) {
      const points = checkpoints.map((checkpoint) => pointOf(checkpoint))
      const reports: AuditVerification[] = []
      for (const projectId of await findChains(db, { project, points })) {
        const own = points.filter((point) => point.project_id === projectId)
        reports.push(await verifyChain(db, { projectId, keys, checkpoints: own }))
      }
      return reports
    },
    verifyExport: (lines, checkpoints = []) => verifyExport(lines, { keys, checkpoints }),
    close: () => sqlite.close(),
  }
}

async function checkInstallation({ db }: OpenDatabase, fingerprint: string): Promise<void> {
  const tables = await db.introspection.getTables()
  if (!tables.some(({ name }) => name === 'audit_points')) {
    throw new CodedError(
      'unavailable',
      'The database is of a version without an audit chain. Start this version once: that begins it.',
    )
  }
  const row = await db.selectFrom('installation').select('master_key_fingerprint').executeTakeFirst()
  if (row?.master_key_fingerprint === fingerprint) return
  throw new CodedError(
    'unavailable',
    'The master key is not the one that this database was made with. Bring the right one back.',
  )
}

/** One that nothing but a checkpoint tells of is asked for too: all its entries may be gone. */
async function findChains(
  db: Kysely<Schema>,
  { project, points }: { readonly project: string | undefined; readonly points: readonly SignedPoint[] },
): Promise<readonly string[]> {
  if (project !== undefined) return [(await resolveProject(db, project)).id]
  const projects = await db.selectFrom('projects').select('id').execute()
  const entries = await db.selectFrom('audit').select('project_id').distinct().execute()
  const stored = await db.selectFrom('audit_points').select('project_id').distinct().execute()
  const known = [...entries, ...stored, ...points].map((row) => row.project_id)
  return [...new Set([...projects.map(({ id }) => id), ...known])].sort()
}
