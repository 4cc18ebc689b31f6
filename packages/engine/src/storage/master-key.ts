import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { CodedError } from '../coded-error.ts'
import type { Random } from '../random.ts'
import { writePrivateFile } from './private-file.ts'

const KEY_BYTES = 32
const FILE_NAME = 'master-key'

/** The key that everything sealed depends on. Its bytes do not leave this object. */
export interface MasterKey {
  /** Names the key without telling it: stored in the database, and compared at each start. */
  readonly fingerprint: string
  /** A 256-bit key for one purpose (HKDF with SHA-256, RFC 5869): purposes cannot stand in for each other. */
  derive(purpose: string): KeyObject
}

export interface MasterKeyPlace {
  /** The data folder; the caller holds its lock. */
  readonly folder: string
  /** The database that the key belongs to. */
  readonly databaseFile: string
  /** `CLAVIGER_MASTER_KEY`, when it is set: 32 bytes, base64url. It goes before the file. */
  readonly text: string | undefined
  readonly random: Random
}

/**
 * The master key of a data folder: the text given, else the file `master-key`, which the first start makes.
 *
 * A new key is made only where there is no database yet: beside one it would open nothing, and would stand in
 * the place that the lost one is to be put back to.
 */
export function loadMasterKey(place: MasterKeyPlace): MasterKey {
  if (place.text !== undefined) return readMasterKey(place.text, 'CLAVIGER_MASTER_KEY')
  const file = join(place.folder, FILE_NAME)
  if (!existsSync(file)) {
    if (existsSync(place.databaseFile)) {
      throw new CodedError(
        'unavailable',
        `The master key of ${place.databaseFile} is missing. Put ${file} back, or set CLAVIGER_MASTER_KEY.`,
      )
    }
    writePrivateFile(file, `${Buffer.from(place.random.bytes(KEY_BYTES)).toString('base64url')}\n`)
  }
  return readMasterKeyFile(file)
}

/**
 * The master key of a data folder whose database is another one's, or none yet: to read a backup with. It makes none.
 * Throws `unavailable` where there is none.
 */
export function openMasterKey({ folder, text }: Pick<MasterKeyPlace, 'folder' | 'text'>): MasterKey {
  if (text !== undefined) return readMasterKey(text, 'CLAVIGER_MASTER_KEY')
  const file = join(folder, FILE_NAME)
  if (existsSync(file)) return readMasterKeyFile(file)
  throw new CodedError(
    'unavailable',
    `A backup needs the master key of its installation. Put it back as ${file}, or set CLAVIGER_MASTER_KEY.`,
  )
}

function readMasterKeyFile(file: string): MasterKey {
  refuseReadableByOthers(file)
  return readMasterKey(readFileSync(file, 'utf8').trim(), file)
}

/** The fingerprint of the key that a text stands for; undefined: it is none. */
export function fingerprintOf(text: string): string | undefined {
  try {
    return readMasterKey(text, 'The text').fingerprint
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}

function readMasterKey(text: string, origin: string): MasterKey {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== KEY_BYTES || bytes.toString('base64url') !== text) {
    throw new CodedError(
      'invalid_request',
      `${origin} must be ${KEY_BYTES} bytes as base64url: 43 characters.`,
    )
  }
  const key = createSecretKey(bytes)
  bytes.fill(0)
  const derive = (purpose: string): KeyObject =>
    createSecretKey(Buffer.from(hkdfSync('sha256', key, '', `claviger/v1/${purpose}`, KEY_BYTES)))
  const fingerprint = createHmac('sha256', derive('fingerprint')).update('master key').digest('base64url')
  return { fingerprint, derive }
}

function refuseReadableByOthers(file: string): void {
  // Windows has no such bits: there the folder's access list counts.
  if (process.platform === 'win32' || (statSync(file).mode & 0o077) === 0) return
  throw new CodedError('unavailable', `${file} can be read by others than its owner. Run: chmod 600 ${file}`)
}
