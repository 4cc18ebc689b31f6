import { closeSync } from 'node:fs'
import { resolve } from 'node:path'
import { CodedError } from '../coded-error.ts'
import { readLine } from '../journal/line.ts'
import { openMasterKey } from '../storage/master-key.ts'
import { openForReading, parseDatabaseAddress } from '../storage/open-database.ts'
import { damaged, openBackup, readBackupManifest } from './copy-backup.ts'
import type { Manifest } from './manifest.ts'
import { digestFile } from './snapshot-database.ts'

/**
 * Reads a whole backup and holds it against its installation, without restoring it. Throws `not_found`, or `unavailable`
 * with what is wrong: it is cut, damaged, altered, or of another installation. Never call it in the process that has the
 * folder open: closing the database's file there would drop the server's locks (POSIX).
 */
export async function examineBackup(options: {
  /** `sqlite:FILE`; the file exists. */
  readonly database: string
  /** `CLAVIGER_MASTER_KEY`, when it is set. */
  readonly masterKey: string | undefined
  /** The backup. */
  readonly file: string
}): Promise<Manifest> {
  const { file: databaseFile, folder } = parseDatabaseAddress(options.database)
  const masterKey = openMasterKey({ folder, text: options.masterKey })
  const file = resolve(options.file)
  const descriptor = openBackup(file)
  try {
    const manifest = readBackupManifest(descriptor, file, masterKey)
    if (digestFile(descriptor, manifest.bytes) !== manifest.digest) throw damaged(file)
    const { db, sqlite } = openForReading(databaseFile)
    const line = await readLine(db).finally(() => sqlite.close())
    if (line?.installationId === manifest.installationId) return manifest
    throw new CodedError('unavailable', `${file} is a backup of another installation. Use one of this one.`)
  } finally {
    closeSync(descriptor)
  }
}
