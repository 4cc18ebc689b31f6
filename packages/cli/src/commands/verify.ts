import type { Verdict } from '@claviger/client'
import type { Command } from 'commander'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { readCredential } from '../credential.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { figureLines } from '../limit-options.ts'
import { appendValue, parseWholeNumber } from '../option-values.ts'
import { colors, makePrintable, printJson, printRecord } from '../output.ts'
import type { SetExitCode } from '../program.ts'

interface VerifyOptions extends ConnectionOptions {
  readonly permissions?: string
  readonly audience?: string[]
  readonly ip?: string
  readonly cost?: number
}

export function addVerify(program: Command, setExitCode: SetExitCode): void {
  addConnectionOptions(
    program
      .command('verify')
      .description('Decide on a key or a token: exit code 0, it may pass; 1, it may not.')
      .argument('[credential]', '`-`: from standard input (default: CLAVIGER_CREDENTIAL)')
      .option('--permissions <query>', 'what it must be allowed to do')
      .option('--audience <name>', 'for tokens: the service that asks; `any` skips the check', appendValue)
      .option('--ip <address>', "the end client's address")
      .option('--cost <units>', 'what the call spends of limits (default: 1); 0 looks', parseWholeNumber),
  )
    .addHelpText(
      'after',
      `
Examples:
  $ claviger verify - < credential.txt
  $ CLAVIGER_CREDENTIAL=ck_… claviger verify --permissions "documents:read and (billing:* or admin:all)"
  $ claviger verify eyJ… --audience https://api.example.com`,
    )
    .action(async (argument: string | undefined, options: VerifyOptions) => {
      const given = argument ?? process.env.CLAVIGER_CREDENTIAL
      if (given === undefined) {
        throw new CommandFailure(
          EXIT.usage,
          'Give the credential on standard input with `-`, or in CLAVIGER_CREDENTIAL, or as an argument.',
        )
      }
      const credential = await readCredential(given)
      const { permissions, audience, ip, cost } = options
      const verdict = await connect(options).verifyCredential({
        body: { credential, require: { permissions, audience }, context: { ip }, cost },
      })
      if (!verdict.ok) setExitCode(EXIT.refused)
      if (options.json === true) printJson(verdict)
      else printVerdict(verdict)
    })
}

function printVerdict(verdict: Verdict): void {
  if (!verdict.ok) {
    console.log(`${colors.red(verdict.code)}: ${makePrintable(verdict.detail)}`)
    if (verdict.limits !== undefined) printRecord(figureLines(verdict))
    return
  }
  console.log(`${colors.green('ok')}: this ${verdict.kind} may pass.`)
  printRecord([
    [verdict.kind, verdict.id],
    ['subject', verdict.subject],
    ['project', verdict.project],
    ...(verdict.audience === undefined ? [] : [['audience', verdict.audience] as const]),
    ['roles', verdict.roles],
    ['permissions', verdict.permissions],
    ['expires', verdict.expiresAt ?? 'never'],
    ...figureLines(verdict),
  ])
}
