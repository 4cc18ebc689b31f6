import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MANAGEMENT_PROJECT } from '../scope.ts'
import { fingerprintOf } from './master-key.ts'
import { openForReading, parseDatabaseAddress } from './open-database.ts'
import { isSqliteError } from './sqlite-error.ts'

const SQLITE_BUSY = 5

/** The migration that gave keys and subjects limits. */
const LIMITS_VERSION = 5
const WITHOUT_LIMITS = `limits IS NULL AND project_id <> '${MANAGEMENT_PROJECT}' AND NOT EXISTS (
  SELECT 1 FROM subjects WHERE subjects.project_id = keys.project_id AND subjects.issuer = ''
    AND subjects.subject = keys.subject AND subjects.limits IS NOT NULL)`

/** What can be said of an installation without opening it for work: nothing is locked, migrated or written. */
export interface InstallationFacts {
  readonly lastCommitAtMs: number
  /** `none`: there is neither a text nor a file. */
  readonly masterKey: 'right' | 'wrong' | 'malformed' | 'none'
  readonly masterKeyFrom: 'environment' | 'file'
  /** The number of the last migration. */
  readonly version: number
  readonly journalMode: string
  /** The process that has the data folder; null: none, so nothing can be changed meanwhile but by a person. */
  readonly heldBy: string | null
  readonly liveRootKeys: number
  readonly managementKeysWithoutExpiry: number
  readonly keysWithoutExpiry: number
  /** Null: the database is of a version before limits. */
  readonly keysWithoutLimits: number | null
}

/**
 * Reads the facts from the database file, also while a server has it open. Throws SQLite's own error for a file that
 * is no database, or one of another program. The count of keys is a walk through all of them: for a command, not for a
 * server. Never call it in the process that has the folder open: closing the lock's file there would drop the lock (POSIX).
 */
export function examineInstallation(options: {
  /** `sqlite:FILE`; the file exists. */
  readonly database: string
  /** `CLAVIGER_MASTER_KEY`, when it is set. */
  readonly masterKey: string | undefined
  readonly nowMs: number
}): InstallationFacts {
  const { file, folder } = parseDatabaseAddress(options.database)
  const { sqlite } = openForReading(file)
  try {
    const read = (sql: string, ...values: (string | number)[]) => sqlite.prepare(sql).get(...values) ?? {}
    const installation = read('SELECT last_commit_at_ms, master_key_fingerprint FROM installation')
    const count = (condition: string): number =>
      Number(
        read(
          `SELECT count(*) AS n FROM keys WHERE revoked_at_ms IS NULL AND deleted_at_ms IS NULL AND disabled = 0 AND (expires_at_ms IS NULL OR expires_at_ms > ?) AND ${condition}`,
          options.nowMs,
        ).n,
      )
    const version = Number(read('SELECT max(number) AS n FROM migrations').n)
    return {
      lastCommitAtMs: Number(installation.last_commit_at_ms),
      masterKey: judgeMasterKey(options.masterKey, folder, String(installation.master_key_fingerprint)),
      masterKeyFrom: options.masterKey === undefined ? 'file' : 'environment',
      version,
      journalMode: String(read('PRAGMA journal_mode').journal_mode),
      heldBy: findHolder(folder),
      liveRootKeys: count('verbs IS NOT NULL AND managed_project_id IS NULL'),
      managementKeysWithoutExpiry: count(
        'verbs IS NOT NULL AND managed_project_id IS NOT NULL AND expires_at_ms IS NULL',
      ),
      keysWithoutExpiry: count(`expires_at_ms IS NULL AND project_id <> '${MANAGEMENT_PROJECT}'`),
      keysWithoutLimits: version < LIMITS_VERSION ? null : count(WITHOUT_LIMITS),
    }
  } finally {
    sqlite.close()
  }
}

function judgeMasterKey(
  text: string | undefined,
  folder: string,
  fingerprint: string,
): InstallationFacts['masterKey'] {
  const file = join(folder, 'master-key')
  if (text === undefined && !existsSync(file)) return 'none'
  const found = fingerprintOf(text ?? readFileSync(file, 'utf8').trim())
  if (found === undefined) return 'malformed'
  return found === fingerprint ? 'right' : 'wrong'
}

/** Tries the lock (folder-lock.ts) and gives it back at once. A file that says who holds it is no lock by itself. */
function findHolder(folder: string): string | null {
  const lockFile = join(folder, 'lock')
  if (!existsSync(lockFile)) return null
  const lock = new DatabaseSync(lockFile, { readOnly: true, timeout: 0 })
  try {
    lock.exec('BEGIN; SELECT count(*) FROM sqlite_schema')
    return null
  } catch (error) {
    if (!isSqliteError(error, SQLITE_BUSY)) throw error
    const holder = join(folder, 'lock-holder')
    return existsSync(holder) ? readFileSync(holder, 'utf8').trim() : 'unknown'
  } finally {
    lock.close()
  }
}
