import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import { CodedError } from '../coded-error.ts'
import type { MasterKey } from '../storage/master-key.ts'

/** What a backup says of itself. It stands behind the database in the same file. */
export interface Manifest {
  readonly format: 1
  readonly installationId: string
  readonly masterKeyFingerprint: string
  /** Where the database stood in the line of its commits. */
  readonly history: string
  readonly commit: number
  readonly journaled: number
  /** The time of its last commit, and when the backup was taken; epoch milliseconds. */
  readonly lastCommitAtMs: number
  readonly takenAtMs: number
  /** The head of each project's feed. */
  readonly projects: readonly { readonly name: string; readonly epoch: string; readonly number: number }[]
  /** Of the database: its length in bytes, and its SHA-256 in base64url. */
  readonly bytes: number
  readonly digest: string
}

/** The last bytes of a backup. */
const MARK = Buffer.from('CLVBKUP1')
const LENGTH_BYTES = 4
const MAC_BYTES = 32
export const TAIL_BYTES = MAC_BYTES + LENGTH_BYTES + MARK.length
/** More than a thousand projects would need. */
export const MAX_MANIFEST_BYTES = 1024 * 1024

/** What is written behind the database: the manifest, its MAC under the master key, its length, the mark. */
export function writeTail(masterKey: MasterKey, manifest: Manifest): Buffer {
  const text = Buffer.from(JSON.stringify(manifest))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(text.length)
  return Buffer.concat([text, macOf(masterKey.derive('backup'), text), length, MARK])
}

/** The length of the manifest that the last {@link TAIL_BYTES} of a file announce; undefined: it is no backup. */
export function readManifestLength(tail: Buffer): number | undefined {
  if (!tail.subarray(-MARK.length).equals(MARK)) return undefined
  const length = tail.readUInt32LE(MAC_BYTES)
  return length <= MAX_MANIFEST_BYTES ? length : undefined
}

/** Throws `unavailable` for a backup of another installation, and for one that was altered. */
export function readManifest(masterKey: MasterKey, text: Buffer, tail: Buffer): Manifest {
  let manifest: Manifest
  try {
    manifest = JSON.parse(text.toString())
  } catch {
    throw new CodedError(
      'unavailable',
      'The backup is damaged: its manifest cannot be read. Use another one.',
    )
  }
  if (manifest.masterKeyFingerprint !== masterKey.fingerprint) {
    throw new CodedError(
      'unavailable',
      'The backup was taken from an installation with another master key. Bring that key: the file master-key of its data folder, or CLAVIGER_MASTER_KEY.',
    )
  }
  const mac = tail.subarray(0, MAC_BYTES)
  if (!timingSafeEqual(mac, macOf(masterKey.derive('backup'), text))) {
    throw new CodedError(
      'unavailable',
      'The backup was altered: its manifest is not sealed by the master key. Use another one.',
    )
  }
  if (manifest.format !== 1) {
    throw new CodedError('unavailable', 'The backup was taken by a newer Claviger. Restore it with that one.')
  }
  return manifest
}

function macOf(key: KeyObject, text: Buffer): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
