import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createEngine } from '@claviger/engine'
import { readConfiguration, writeRootKeyFile } from '@claviger/server'
import type { Command } from 'commander'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { printJson, printRecord } from '../output.ts'

interface ResetOptions {
  readonly data?: string
  readonly database?: string
  readonly json?: boolean
}

export function addRootKey(program: Command): void {
  const rootKey = program.command('root-key').description('Replace a lost or stolen root key.')
  rootKey
    .command('reset')
    .description('Make a new root key and end every other, on the machine that has the data folder.')
    .option('--data <folder>', 'the data folder (CLAVIGER_DATA; default: claviger-data)')
    .option('--database <address>', 'the database, as sqlite:FILE (CLAVIGER_DATABASE)')
    .option('--json', 'print the key and its file as JSON')
    .addHelpText(
      'after',
      `
Stop the server first. The new key is written to the file root-key in the data folder; it is printed
on a terminal or with --json only.

Example:
  $ claviger root-key reset --data /var/lib/claviger`,
    )
    .action(reset)
}

async function reset({ json, ...flags }: ResetOptions): Promise<void> {
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
