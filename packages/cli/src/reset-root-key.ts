import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createEngine } from '@claviger/engine'
import { readConfiguration, writeRootKeyFile } from '@claviger/server'
import { CommandFailure, EXIT } from './exit-codes.ts'
import { printJson, printRecord } from './output.ts'

export interface ResetOptions {
  readonly data?: string
  readonly database?: string
  readonly json?: boolean
}

/** Opens the data folder, which no server may have open, and puts a new root key into the place of every other. */
export async function resetRootKey({ json, ...flags }: ResetOptions): Promise<void> {
  const configuration = readConfiguration({
    flags: { ...flags },
    environment: process.env,
    workingDirectory: process.cwd(),
  })
  const { data, database } = configuration
  // An engine would make a new installation of an empty folder: not what somebody wants who has mistyped its name.
  if (!existsSync(database.slice('sqlite:'.length))) {
    throw new CommandFailure(
      EXIT.refused,
      `There is no installation in ${data}. Name its folder with --data.`,
    )
  }
  const engine = await createEngine({ database, masterKey: process.env.CLAVIGER_MASTER_KEY || undefined })
  try {
    const key = await engine.resetRootKey()
    writeRootKeyFile(data, key)
    const file = join(data, 'root-key')
    if (json === true) printJson({ rootKey: key.reveal(), file })
    else {
      printRecord([
        ['root key', process.stdout.isTTY ? key.reveal() : 'not printed: this is no terminal'],
        ['file', file],
      ])
      console.log('\nEvery other root key is revoked, and the tokens that were issued to it.')
    }
  } finally {
    await engine.close()
  }
}
