import type { Command } from 'commander'
import type { Check, Level } from '../doctor/check.ts'
import { EXIT } from '../exit-codes.ts'
import { colors, makePrintable, printJson } from '../output.ts'
import type { SetExitCode } from '../program.ts'

interface DoctorOptions {
  readonly url?: string
  readonly data?: string
  readonly database?: string
  readonly backup?: string
  readonly strict?: boolean
  readonly json?: boolean
}

export function addDoctor(program: Command, setExitCode: SetExitCode): void {
  program
    .command('doctor')
    .description('Look for what is wrong with an installation, and say what to do. It changes nothing.')
    .option('--data <folder>', 'the data folder (CLAVIGER_DATA; default: claviger-data)')
    .option('--database <address>', 'the database, as sqlite:FILE (CLAVIGER_DATABASE)')
    .option('--url <address>', 'a running server to look at, too (CLAVIGER_URL)')
    .option('--backup <file>', 'a backup to look at, too')
    .option('--strict', 'let a warning count as a fault')
    .option('--json', 'print the checks as JSON')
    .addHelpText(
      'after',
      `
It looks at the data folder of this machine, with the settings that claviger start would read here, whether
or not the server runs. Run it as the user that the server runs as. It checks the whole audit, 100,000 entries a
second. It ends with 1 when there is a fault.

Examples:
  $ claviger doctor
  $ claviger doctor --data /var/lib/claviger --url https://auth.example.com
  $ claviger doctor --backup /mnt/backups/monday
  $ claviger doctor --strict --json`,
    )
    .action(async ({ url, backup, strict, json, ...flags }: DoctorOptions) => {
      const { examine } = await import('../examine.ts')
      const checks = await examine({ flags, url: url ?? (process.env.CLAVIGER_URL || undefined), backup })
      if (json === true) printJson({ checks })
      else printChecks(checks)
      const bad: readonly Level[] = strict === true ? ['fault', 'warning'] : ['fault']
      if (checks.some(({ level }) => bad.includes(level))) setExitCode(EXIT.refused)
    })
}

const COLOURS = { ok: colors.green, warning: colors.yellow, fault: colors.red } as const

function printChecks(checks: readonly Check[]): void {
  for (const { name, level, detail } of checks) {
    console.log(`${COLOURS[level](level.padEnd(8))} ${name}: ${makePrintable(detail)}`)
  }
}
