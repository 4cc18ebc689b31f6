import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { CodedError } from '../coded-error.ts'
import { makePrivateFile, makePrivateFolder } from './private-file.ts'
import type { Schema } from './schema.ts'
import { sqliteDialect } from './sqlite-dialect.ts'

/** One connection, bare and through Kysely. Closing `sqlite` ends both. */
export interface OpenDatabase {
  readonly sqlite: DatabaseSync
  readonly db: Kysely<Schema>
}

export interface DatabaseAddress {
  /** Absolute. */
  readonly file: string
  /** The data folder: where the file stands. */
  readonly folder: string
}

/** How long a statement waits for a lock that another program, such as a backup, holds. */
const BUSY_TIMEOUT_MS = 5_000

/** Page cache a connection, in KiB: enough for the inner pages of a million keys. */
const CACHE_KIB = 16_384

/** Reads `sqlite:FILE`. Throws `invalid_request` for anything else. */
export function parseDatabaseAddress(text: string): DatabaseAddress {
  if (/^postgres(ql)?:/.test(text)) {
    throw new CodedError('invalid_request', 'PostgreSQL is not supported yet. Use sqlite:FILE.')
  }
  const name = /^sqlite:(?!\/\/|file:|:)(.+)$/.exec(text)?.[1]
  if (name === undefined) {
    throw new CodedError(
      'invalid_request',
      'The database must be given as sqlite:FILE, such as sqlite:claviger-data/claviger.db.',
    )
  }
  const file = resolve(name)
  return { file, folder: dirname(file) }
}

/**
 * The writer's connection: through Kysely it runs nothing outside a transaction. Makes the file and its folder, for
 * their owner alone, when they are missing.
 */
export function openForWriting(file: string): OpenDatabase {
  makePrivateFolder(dirname(file))
  // SQLite would make it readable by all; its log takes the file's own mode.
  makePrivateFile(file)
  const sqlite = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
  const mode = sqlite.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode
  if (mode !== 'wal') {
    sqlite.close()
    throw new CodedError(
      'unavailable',
      `${file} cannot keep a write-ahead log: its file system is not supported.`,
    )
  }
  // FULL syncs the log at every commit: what was acknowledged survives a power cut (rule C4).
  sqlite.exec(`PRAGMA synchronous = FULL; PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY;`)
  return { sqlite, db: new Kysely({ dialect: sqliteDialect(sqlite, { outsideTransaction: 'refuse' }) }) }
}

/** A connection that reads the last commit, for another thread than the writer's. The file exists by then. */
export function openForReading(file: string): OpenDatabase {
  const sqlite = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  sqlite.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY;`)
  return { sqlite, db: new Kysely({ dialect: sqliteDialect(sqlite, { outsideTransaction: 'run' }) }) }
}
