import type { Command } from 'commander'
import type { ResetOptions } from '../reset-root-key.ts'

export function addRootKey(program: Command): void {
  const rootKey = program
    .command('root-key')
    .helpCommand(false)
    .description('Replace a lost or stolen root key.')
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
    .action(async (options: ResetOptions) => {
      const { resetRootKey } = await import('../reset-root-key.ts')
      await resetRootKey(options)
    })
}
