import { closeSync, existsSync, fstatSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Clock } from '../clock.ts'
import { CodedError } from '../coded-error.ts'
import { readLine } from '../journal/line.ts'
import { type MasterKey, openMasterKey } from '../storage/master-key.ts'
import { openForReading, parseDatabaseAddress } from '../storage/open-database.ts'
import { syncFolder } from '../storage/private-file.ts'
import { toCodedError } from '../storage/sqlite-error.ts'
import { type Manifest, writeTail } from './manifest.ts'
import { digestFile, snapshotDatabase } from './snapshot-database.ts'

export interface BackupOptions {
  /** `sqlite:FILE`; a server may serve it meanwhile. */
  readonly database: string
  /** The backup. There must be no such file yet. */
  readonly file: string
  /** 32 bytes, base64url. Default: the file `master-key` in the data folder. */
  readonly masterKey?: string
  readonly clock: Clock
}

/**
 * Takes a backup: the database as of one commit, and the manifest that it is known by. The master key is not in it. It is
 * read from the files of the database, so only the machine's owner can, and no server stops or waits for it.
 *
 * It comes into place as a whole, and durably, or not at all. Throws `already_exists`, `not_found`, `storage_full`.
 */
export async function createBackup(options: BackupOptions): Promise<Manifest> {
  const { file: databaseFile, folder } = parseDatabaseAddress(options.database)
  const file = resolve(options.file)
  if (existsSync(file))
    throw new CodedError('already_exists', `${file} is there already. Choose another name.`)
  if (!existsSync(dirname(file))) throw new CodedError('not_found', `There is no folder ${dirname(file)}.`)
  const masterKey = openMasterKey({ folder, text: options.masterKey })
  const draft = `${file}.new`
  try {
    snapshotDatabase(databaseFile, draft)
    const manifest = await sealBackup(draft, masterKey, options.clock.nowMs())
    renameSync(draft, file)
    syncFolder(dirname(file))
    return manifest
  } catch (error) {
    rmSync(draft, { force: true })
    throw explain(error)
  }
}

async function sealBackup(draft: string, masterKey: MasterKey, takenAtMs: number): Promise<Manifest> {
  const known = await describe(draft, takenAtMs)
  if (known.masterKeyFingerprint !== masterKey.fingerprint) {
    throw new CodedError(
      'unavailable',
      'The master key is not the one of this database. Bring the right one.',
    )
  }
  const descriptor = openSync(draft, 'r+')
  try {
    const bytes = fstatSync(descriptor).size
    const manifest = { ...known, bytes, digest: digestFile(descriptor, bytes) }
    const tail = writeTail(masterKey, manifest)
    if (writeSync(descriptor, tail, 0, tail.length, bytes) !== tail.length) throw diskFull()
    fsyncSync(descriptor)
    return manifest
  } finally {
    closeSync(descriptor)
  }
}

async function describe(draft: string, takenAtMs: number): Promise<Omit<Manifest, 'bytes' | 'digest'>> {
  const { db, sqlite } = openForReading(draft)
  try {
    const line = await readLine(db)
    if (line === undefined) {
      throw new CodedError(
        'unavailable',
        'The database is of an older version. Start this Claviger on it once.',
      )
    }
    const projects = await db
      .selectFrom('projects')
      .select(['name', 'epoch', 'head'])
      .orderBy('name')
      .execute()
    return {
      format: 1,
      installationId: line.installationId,
      masterKeyFingerprint: line.masterKeyFingerprint,
      history: line.history,
      commit: line.commit,
      journaled: line.journaled,
      lastCommitAtMs: line.lastCommitAtMs,
      takenAtMs,
      projects: projects.map(({ name, epoch, head }) => ({ name, epoch, number: head })),
    }
  } finally {
    sqlite.close()
  }
}

function explain(error: unknown): unknown {
  if (error instanceof CodedError) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull()
  const coded = toCodedError(error)
  if (coded.code === 'storage_full') return diskFull()
  return coded.code === 'internal' ? error : coded
}

function diskFull(): CodedError {
  return new CodedError('storage_full', 'The disk is full. No backup was written. Free some space.')
}
