import type { Command } from 'commander'
import type { BackupOptions } from '../take-backup.ts'

export function addBackup(program: Command): void {
  program
    .command('backup')
    .description('Take a backup of a data folder, while its server serves.')
    .argument('<file>', 'the backup; there must be no such file yet')
    .option('--data <folder>', 'the data folder (CLAVIGER_DATA; default: claviger-data)')
    .option('--database <address>', 'the database, as sqlite:FILE (CLAVIGER_DATABASE)')
    .option('--json', 'print what is in it as JSON')
    .addHelpText(
      'after',
      `
Run it on the machine that has the data folder, as the user who owns it. The server need not be stopped, and does not
wait. The master key is not in the backup: keep the file master-key, or CLAVIGER_MASTER_KEY, elsewhere.

Example:
  $ claviger backup /var/backups/claviger-$(date +%F) --data /var/lib/claviger`,
    )
    .action(async (file: string, options: BackupOptions) => {
      const { takeBackup } = await import('../take-backup.ts')
      await takeBackup(file, options)
    })
}
