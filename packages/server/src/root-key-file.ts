import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Secret } from '@claviger/engine'

/**
 * Writes the root key into the data folder, for the folder's owner alone, and durably: it cannot be had again. It comes
 * into place as a whole, so that a start that dies half-way leaves no half of a key.
 */
export function writeRootKeyFile(folder: string, rootKey: Secret): void {
  const file = join(folder, 'root-key')
  const draft = `${file}.new`
  rmSync(draft, { force: true })
  const descriptor = openSync(draft, 'wx', 0o600)
  try {
    writeFileSync(descriptor, `${rootKey.reveal()}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(draft, file)
}
