import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { CodedError } from '../coded-error.ts'
import type { MasterKey } from '../storage/master-key.ts'
import { type Manifest, readManifest, readManifestLength, TAIL_BYTES } from './manifest.ts'
import { digestFile } from './snapshot-database.ts'

/**
 * Copies the database out of a backup, durably, once the backup is known to be whole and of this master key. Throws
 * `not_found`, or `unavailable` with what is wrong with the file.
 */
export function copyBackup(file: string, target: string, masterKey: MasterKey): Manifest {
  const descriptor = openBackup(file)
  try {
    const manifest = readBackupManifest(descriptor, file, masterKey)
    const copy = openSync(target, 'wx', 0o600)
    try {
      const digest = digestFile(descriptor, manifest.bytes, (piece) => writeAll(copy, piece))
      if (digest !== manifest.digest) throw damaged(file)
      fsyncSync(copy)
    } finally {
      closeSync(copy)
    }
    return manifest
  } finally {
    closeSync(descriptor)
  }
}

/** The manifest of a backup that has its length. What is in it is not read. */
export function readBackupManifest(descriptor: number, file: string, masterKey: MasterKey): Manifest {
  const { size } = fstatSync(descriptor)
  const tail = readAt(descriptor, size - TAIL_BYTES, TAIL_BYTES)
  const length = tail === undefined ? undefined : readManifestLength(tail)
  if (tail === undefined || length === undefined) {
    throw new CodedError(
      'unavailable',
      `${file} is no backup of Claviger, or was cut short. Use another one.`,
    )
  }
  const start = size - TAIL_BYTES - length
  const text = readAt(descriptor, start, length)
  if (text === undefined) throw damaged(file)
  const manifest = readManifest(masterKey, text, tail)
  if (manifest.bytes !== start) throw damaged(file)
  return manifest
}

export function openBackup(file: string): number {
  try {
    return openSync(file, 'r')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CodedError('not_found', `The backup cannot be read: ${reason}`)
  }
}

function readAt(descriptor: number, from: number, length: number): Buffer | undefined {
  if (from < 0) return undefined
  const bytes = Buffer.alloc(length)
  return readSync(descriptor, bytes, 0, length, from) === length ? bytes : undefined
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(descriptor, bytes, written, bytes.length - written)
  }
}

export function damaged(file: string): CodedError {
  return new CodedError(
    'unavailable',
    `${file} is damaged: its content is not what its manifest says. Use another one.`,
  )
}
