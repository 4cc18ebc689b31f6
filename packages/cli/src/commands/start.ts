import type { Command } from 'commander'

/** The server is imported when it is to be started, and not by the commands that call one: it takes a while to load. */
export function addStart(program: Command): void {
  const command = program.command('start').description('Start the server.')
  program.hook('preSubcommand', async (_program, subcommand) => {
    if (subcommand === command) await addStartSettings(program)
  })
  command
    .option('--accept-clock', 'start with a clock far behind the last commit, on purpose; audited')
    .addHelpText(
      'after',
      `
Flags count first, then the environment, then claviger.json in this folder. CLAVIGER_MASTER_KEY, 32 bytes
as base64url, replaces the file master-key of the data folder. Log lines go to standard output, as JSON.

Examples:
  $ claviger start
  $ claviger start --data /var/lib/claviger --host 0.0.0.0 --trust-proxy 10.0.0.0/8 \\
      --public-url https://auth.example.com`,
    )
    .action(async (flags: Record<string, unknown>) => {
      const { startServer } = await import('../start-server.ts')
      await startServer(flags)
    })
}

/** Gives `start` the settings of the server, which it has only when somebody asks for them. */
export async function addStartSettings(program: Command): Promise<void> {
  const { addSettings } = await import('../start-settings.ts')
  for (const command of program.commands) if (command.name() === 'start') addSettings(command)
}
