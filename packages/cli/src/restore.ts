import { join } from 'node:path'
import { restoreBackup, systemClock, systemRandom } from '@claviger/engine'
import { readConfiguration, writeRootKeyFile } from '@claviger/server'
import { printJson, printRecord } from './output.ts'

export interface RestoreOptions {
  readonly data?: string
  readonly database?: string
  readonly journal?: string
  readonly acceptLoss?: string
  readonly acceptClock?: boolean
  readonly json?: boolean
}

/** Puts a backup, or what stands in the data folder, into its place; no server may have the folder open. */
export async function restore(backup: string | undefined, options: RestoreOptions): Promise<void> {
  const { json, journal, acceptLoss, acceptClock, ...flags } = options
  const { data, database } = readConfiguration({
    flags: { ...flags },
    environment: process.env,
    workingDirectory: process.cwd(),
  })
  const masterKey = process.env.CLAVIGER_MASTER_KEY || undefined
  const { rootKey, ...report } = await restoreBackup({
    database,
    clock: systemClock(),
    random: systemRandom(),
    ...(backup === undefined ? {} : { backup }),
    ...(journal === undefined ? {} : { journal }),
    ...(acceptLoss === undefined ? {} : { acceptLossSince: acceptLoss }),
    ...(acceptClock === undefined ? {} : { acceptClock }),
    ...(masterKey === undefined ? {} : { masterKey }),
  })
  const rootKeyFile = rootKey === null ? null : join(data, 'root-key')
  if (rootKey !== null) writeRootKeyFile(data, rootKey)
  if (json === true) {
    printJson({ ...report, rootKeyFile })
    return
  }
  printRecord([
    ['restored', `the state of ${report.restoredFrom}`],
    ['replayed', `${report.replayed} commits of the journal`],
    ['root key', rootKeyFile === null ? 'as before' : `a new one, in ${rootKeyFile}`],
    ['keys', report.suspended ? 'suspended' : 'in use'],
  ])
  console.log(`\n${explain(report, data)}`)
}

function explain(
  { lostSince, suspended }: { readonly lostSince: string | null; readonly suspended: boolean },
  data: string,
): string {
  if (lostSince === null) return 'All sessions and tokens have ended. Start the server.'
  if (!suspended) return `What was taken away since ${lostSince} was accepted to be lost. Start the server.`
  return `What was taken away since ${lostSince} is not known: keys from before are disabled, until you run one of
  claviger restore --data ${data} --journal FOLDER      with the journal, if you find it
  claviger restore --data ${data} --accept-loss ${lostSince}
The second lets pass again whatever was revoked, disabled or narrowed since then. Look through it first:
the server can be started meanwhile, with the new root key, and keys created from now on work.`
}
