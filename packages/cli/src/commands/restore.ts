import type { Command } from 'commander'
import type { RestoreOptions } from '../restore.ts'

export function addRestore(program: Command): void {
  program
    .command('restore')
    .description('Put a backup into the place of a database, without what was revoked since.')
    .argument('[file]', 'the backup; absent: the database that stands in the data folder')
    .option('--data <folder>', 'the data folder (CLAVIGER_DATA; default: claviger-data)')
    .option('--database <address>', 'the database, as sqlite:FILE (CLAVIGER_DATABASE)')
    .option('--journal <folder>', 'a journal from elsewhere (default: the one in the data folder)')
    .option('--accept-loss <time>', 'let keys pass although it is not known what was revoked since this time')
    .option('--accept-clock', "restore with a clock far behind the backup's last commit, on purpose; audited")
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      `
Stop the server first. All sessions and tokens end, and signing keys are made anew. What was revoked, rotated, disabled
or narrowed since the backup is replayed from the journal in the data folder. Where that does not tell all of it, keys
stay disabled, and the command says how to go on. The database that was replaced stays as claviger.db.before-restore.

Without a file it restores the database that stands in the folder: after somebody has put it back by hand, or to let
keys pass that a restore has left suspended.

Examples:
  $ claviger restore /var/backups/claviger-2027-01-31 --data /var/lib/claviger
  $ claviger restore --data /var/lib/claviger --journal /mnt/old/journal
  $ claviger restore --data /var/lib/claviger --accept-loss 2027-01-31T02:00:00.000Z`,
    )
    .action(async (file: string | undefined, options: RestoreOptions) => {
      const { restore } = await import('../restore.ts')
      await restore(file, options)
    })
}
