import { existsSync } from 'node:fs'
import { examineInstallation } from '@claviger/engine'
import { readConfiguration } from '@claviger/server'
import { type Check, fault } from './doctor/check.ts'
import { checkFiles } from './doctor/check-files.ts'
import { checkHistory } from './doctor/check-history.ts'
import { judgeInstallation } from './doctor/check-installation.ts'
import { checkDiskSpace, checkNode, checkSync, checkTimeService } from './doctor/check-machine.ts'
import { checkServer } from './doctor/check-server.ts'
import { checkSettings } from './doctor/check-settings.ts'
import { CommandFailure, EXIT } from './exit-codes.ts'

/**
 * Looks at this machine's installation, and at the server when an address was named. It changes nothing: it writes one
 * small file into the data folder, to measure the disk, and takes it away again.
 */
export async function examine(options: {
  /** Flags of `claviger start`. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly url: string | undefined
  /** A backup to look at. */
  readonly backup: string | undefined
}): Promise<readonly Check[]> {
  const settings = readConfiguration({
    flags: options.flags,
    environment: process.env,
    workingDirectory: process.cwd(),
  })
  const { data, database } = settings
  const here = existsSync(database.slice('sqlite:'.length))
  if (!here && options.url === undefined) {
    throw new CommandFailure(
      EXIT.refused,
      `There is no installation in ${data}. Name its folder with --data, or a server with --url.`,
    )
  }
  const checks: Check[] = [checkNode()]
  if (here) {
    checks.push(
      ...checkFiles(data),
      checkDiskSpace(data),
      tryCheck('sync', () => checkSync(data)),
    )
    const timeService = checkTimeService()
    if (timeService !== undefined) checks.push(timeService)
    checks.push(...checkSettings(settings, Date.now()), ...(await checkDatabase(database, options.backup)))
  }
  if (options.url !== undefined) checks.push(...(await checkServer(options.url, Date.now)))
  return checks
}

async function checkDatabase(database: string, backup: string | undefined): Promise<readonly Check[]> {
  const nowMs = Date.now()
  const masterKey = process.env.CLAVIGER_MASTER_KEY || undefined
  try {
    const facts = examineInstallation({ database, masterKey, nowMs })
    const checks = judgeInstallation(facts, nowMs)
    // Without the right key nothing of these can be told apart from a forgery.
    if (facts.masterKey !== 'right') return checks
    return [...checks, ...(await checkHistory({ database, masterKey, backup, nowMs }))]
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [fault('database', `${database.slice('sqlite:'.length)} cannot be read: ${reason}.`)]
  }
}

function tryCheck(name: string, check: () => Check): Check {
  try {
    return check()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return fault(name, `The data folder cannot be written: ${reason}.`)
  }
}
