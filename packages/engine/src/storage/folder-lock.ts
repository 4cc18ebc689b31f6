import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CodedError } from '../coded-error.ts'
import { makePrivateFile, makePrivateFolder, writePrivateFile } from './private-file.ts'
import { isSqliteError } from './sqlite-error.ts'

const SQLITE_BUSY = 5

/** A data folder that this process alone may use. */
export interface FolderLock {
  release(): void
}

/**
 * Takes the data folder for this process, and makes it where it is missing. Throws `unavailable`, with the
 * holder's process id, while another process has it.
 *
 * Node has no file locks of its own, SQLite does: the lock is an exclusive transaction on an empty database that
 * is never written. The operating system ends it with the process, however that dies, so nothing is left to clean
 * up. The process id stands in a file beside it, because opening and closing the lock's own file in this process
 * would drop the lock (POSIX).
 */
export function lockFolder(folder: string): FolderLock {
  makePrivateFolder(folder)
  const lockFile = join(folder, 'lock')
  const holderFile = join(folder, 'lock-holder')
  makePrivateFile(lockFile)
  const lock = new DatabaseSync(lockFile, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    writePrivateFile(holderFile, `${process.pid}\n`)
  } catch (error) {
    lock.close()
    if (!isSqliteError(error, SQLITE_BUSY)) throw error
    throw new CodedError(
      'unavailable',
      `The data folder ${folder} is in use by process ${readHolder(holderFile)}. Stop it, or use another folder.`,
    )
  }
  return { release: () => lock.close() }
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    // The holder has just begun, and has not written it yet.
    return 'unknown'
  }
}
