import type { Command } from 'commander'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { printJson, printTable } from '../output.ts'

export function addVerifiers(program: Command): void {
  addConnectionOptions(
    program
      .command('verifiers')
      .description('List the verifiers in other processes, and how far each has come.'),
  )
    .addHelpText(
      'after',
      `
LAG is in changes. A verifier that has no lease answers nothing from its caches.

Examples:
  $ claviger verifiers
  $ claviger verifiers --json`,
    )
    .action(async (options: ConnectionOptions) => {
      const page = await connect(options).listVerifiers()
      if (options.json === true) return printJson(page)
      printTable(
        ['NAME', 'ADDRESS', 'POSITION', 'LAG', 'LEASE', 'LAST SEEN'],
        page.items.map((verifier) => [
          verifier.name ?? verifier.id,
          verifier.address,
          verifier.position,
          verifier.lag === null ? null : String(verifier.lag),
          verifier.hasLease ? `until ${verifier.leaseUntil}` : 'none',
          verifier.lastSeenAt,
        ]),
      )
    })
}
