import { createBackup, systemClock } from '@claviger/engine'
import { readConfiguration } from '@claviger/server'
import { printJson, printRecord } from './output.ts'

export interface BackupOptions {
  readonly data?: string
  readonly database?: string
  readonly json?: boolean
}

/** Takes a backup out of the data folder's own files, as one reader among others. */
export async function takeBackup(file: string, { json, ...flags }: BackupOptions): Promise<void> {
  const { database } = readConfiguration({
    flags: { ...flags },
    environment: process.env,
    workingDirectory: process.cwd(),
  })
  const masterKey = process.env.CLAVIGER_MASTER_KEY || undefined
  const manifest = await createBackup({
    database,
    file,
    clock: systemClock(),
    ...(masterKey === undefined ? {} : { masterKey }),
  })
  const shown = {
    file,
    takenAt: new Date(manifest.takenAtMs).toISOString(),
    lastCommitAt: new Date(manifest.lastCommitAtMs).toISOString(),
    databaseBytes: manifest.bytes,
    digest: manifest.digest,
    heads: manifest.projects,
  }
  if (json === true) printJson(shown)
  else {
    printRecord([
      ['backup', file],
      ['taken', shown.takenAt],
      ['last commit', shown.lastCommitAt],
      ['size', `${manifest.bytes} bytes`],
      ['projects', manifest.projects.map(({ name }) => name)],
    ])
    console.log('\nThe master key is not in it: keep that elsewhere.')
  }
}
