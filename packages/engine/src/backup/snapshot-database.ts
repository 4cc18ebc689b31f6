import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { CodedError } from '../coded-error.ts'
import { makePrivateFile } from '../storage/private-file.ts'

const CHUNK_BYTES = 1024 * 1024

/**
 * Writes the last commit of a database into a new file, for its owner alone, while other processes read and write it: as
 * one reader among others, with a connection of its own. Throws `not_found` when there is no database.
 */
export function snapshotDatabase(databaseFile: string, target: string): void {
  if (!existsSync(databaseFile)) {
    throw new CodedError(
      'not_found',
      `There is no database ${databaseFile}. Name its data folder with --data.`,
    )
  }
  rmSync(target, { force: true })
  // SQLite would make it readable by all; into an empty file it writes too.
  makePrivateFile(target)
  const database = new DatabaseSync(databaseFile, { readOnly: true, timeout: 5_000 })
  try {
    database.prepare('VACUUM INTO ?').run(target)
  } finally {
    database.close()
  }
}

/** The SHA-256 of the first bytes of a file, base64url; handed each piece on its way. */
export function digestFile(
  descriptor: number,
  bytes: number,
  onPiece: (piece: Buffer) => void = () => {},
): string {
  const hash = createHash('sha256')
  const chunk = Buffer.alloc(CHUNK_BYTES)
  for (let at = 0; at < bytes; ) {
    const read = readSync(descriptor, chunk, 0, Math.min(CHUNK_BYTES, bytes - at), at)
    if (read === 0) break
    const piece = chunk.subarray(0, read)
    hash.update(piece)
    onPiece(piece)
    at += read
  }
  return hash.digest('base64url')
}

export function syncFile(file: string): void {
  const descriptor = openSync(file, 'r+')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
