import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { appendValue } from '../option-values.ts'
import { printJson } from '../output.ts'
import type { SetExitCode } from '../program.ts'

interface InspectOptions {
  readonly jwks?: string
  readonly issuer?: string
  readonly audience?: string[]
  readonly json?: boolean
}

/** The decoder is imported when it is used, and not by the commands that call a server: it takes a while to load. */
export function addInspect(program: Command, setExitCode: SetExitCode): void {
  program
    .command('inspect')
    .description('Decode any key or token here, and say check by check what holds and what does not.')
    .argument('[credential]', '`-`: from standard input (default: CLAVIGER_CREDENTIAL)')
    .option('--jwks <file>', "the issuer's public keys, to check the signature with")
    .option('--issuer <address>', 'the issuer that you trust')
    .option('--audience <name>', 'the service that asks; may be repeated; `any` skips the check', appendValue)
    .option('--json', 'print what was found as JSON')
    .addHelpText(
      'after',
      `
It works without a server and sends nothing anywhere. What only the server knows, such as whether the
credential was revoked, stays unchecked: ask it with \`claviger verify\`.

Examples:
  $ claviger inspect - < credential.txt
  $ curl -s https://auth.example.com/.well-known/jwks.json > jwks.json
  $ claviger inspect eyJ… --jwks jwks.json --issuer https://auth.example.com \\
      --audience https://api.example.com`,
    )
    .action(async (argument: string | undefined, options: InspectOptions) => {
      const { jwks, issuer, audience } = options
      const { inspect } = await import('@claviger/verify')
      const inspection = inspect({
        credential: await readText(argument),
        jwks: jwks === undefined ? undefined : readJwks(jwks),
        issuer,
        audience: audience?.includes('any') ? 'any' : audience,
      })
      if (inspection.verdict !== undefined) setExitCode(EXIT.refused)
      if (options.json === true) printJson(inspection)
      else {
        const { printInspection } = await import('../show-inspection.ts')
        printInspection(inspection)
      }
    })
}

/** As it was given, blanks included, but for the line end that every program puts at the end of a file. */
async function readText(argument: string | undefined): Promise<string> {
  const given = argument ?? process.env.CLAVIGER_CREDENTIAL
  if (given === undefined) {
    throw new CommandFailure(
      EXIT.usage,
      'Give the credential on standard input with `-`, or in CLAVIGER_CREDENTIAL, or as an argument.',
    )
  }
  return given === '-' ? (await text(process.stdin)).replace(/\r?\n$/, '') : given
}

function readJwks(file: string): unknown {
  let jwks: unknown
  try {
    jwks = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    throw new CommandFailure(
      EXIT.usage,
      `${file} cannot be read as JSON. Nothing is fetched: save the JWKS first.`,
    )
  }
  if (typeof jwks === 'object' && jwks !== null && 'keys' in jwks && Array.isArray(jwks.keys)) return jwks
  throw new CommandFailure(EXIT.usage, `${file} is no JWKS: it has no list \`keys\`.`)
}
