import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'

const OWNER_ONLY_FILE = 0o600
const OWNER_ONLY_FOLDER = 0o700

/** Makes the folder, and those above it that are missing, for its owner alone. One that exists stays as it is. */
export function makePrivateFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true, mode: OWNER_ONLY_FOLDER })
  if (first !== undefined) syncFolder(dirname(resolve(first)))
}

/**
 * Makes an empty file for its owner alone, where there is none. One that exists is not opened: closing it would
 * drop the locks that this process holds on it (POSIX).
 */
export function makePrivateFile(file: string): void {
  if (existsSync(file)) return
  closeSync(openSync(file, 'wx', OWNER_ONLY_FILE))
  syncFolder(dirname(file))
}

/**
 * Writes a whole file for its owner alone, durably: after a crash it is there as a whole or not at all. An older
 * one is replaced.
 */
export function writePrivateFile(file: string, content: string | Uint8Array): void {
  const draft = `${file}.new`
  rmSync(draft, { force: true })
  const descriptor = openSync(draft, 'wx', OWNER_ONLY_FILE)
  try {
    writeFileSync(descriptor, content)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(draft, file)
  syncFolder(dirname(file))
}

/** Makes a folder's entries durable: a file that was synced can still lose its name. */
export function syncFolder(folder: string): void {
  // Windows opens no folders, and keeps its names in a journal.
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
