import type { MintedToken, MintTokenInput } from '@claviger/client'
import { type Command, Option } from 'commander'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { readCredential } from '../credential.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { appendValue, parseJsonObject, parseList, parseWholeNumber } from '../option-values.ts'
import { colors, printJson, printRecord } from '../output.ts'
import { addExplain } from './explain.ts'

/** Those of the API: its type does not allow one more or less. */
const ALGORITHMS: Readonly<Record<NonNullable<MintTokenInput['algorithm']>, true>> = {
  RS256: true,
  RS384: true,
  RS512: true,
  PS256: true,
  PS384: true,
  PS512: true,
  ES256: true,
  ES384: true,
  ES512: true,
  Ed25519: true,
  EdDSA: true,
  'ML-DSA-65': true,
  HS256: true,
}

interface MintOptions extends ConnectionOptions {
  readonly audience: string[]
  readonly ttlSeconds?: number
  readonly roles?: string[]
  readonly permissions?: string[]
  readonly scopes?: string[]
  readonly claims?: Record<string, unknown>
  readonly algorithm?: MintTokenInput['algorithm']
}

interface DeriveOptions extends ConnectionOptions {
  readonly audience?: string[]
  readonly ttlSeconds?: number
  readonly permissions?: string[]
  readonly scopes?: string[]
  readonly claims?: Record<string, unknown>
}

export function addTokens(program: Command): void {
  const tokens = program
    .command('tokens')
    .helpCommand(false)
    .description('Mint and derive access tokens, and explain them.')
  addMint(tokens)
  addDerive(tokens)
  addExplain(tokens)
}

function addMint(tokens: Command): void {
  const command = tokens
    .command('mint')
    .description('Mint a signed access token (a JWT, RFC 9068) that speaks for a subject.')
    .argument('<subject>', 'who the token speaks for')
    .addOption(
      new Option('--audience <name>', 'a service that it is meant for; may be repeated')
        .argParser(appendValue)
        .makeOptionMandatory(),
    )
    .option('--ttl-seconds <seconds>', 'how long it lives (default: 600)', parseWholeNumber)
    .option('--roles <names>', 'roles, separated by commas', parseList)
    .option('--permissions <list>', 'permissions resource:action, separated by commas', parseList)
    .option('--scopes <list>', 'narrow roles and permissions to these', parseList)
    .option('--claims <json>', 'a JSON object of further claims', parseJsonObject)
    .addOption(
      new Option('--algorithm <name>', "what it is signed with (default: the project's)").choices(
        Object.keys(ALGORITHMS),
      ),
    )
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ claviger tokens mint alice --audience https://api.example.com --roles reader
  $ TOKEN=$(claviger tokens mint alice --audience https://api.example.com --json | jq -r .credential)`,
    )
    .action(async (subject: string, { url, project, data, json, audience, ...fields }: MintOptions) => {
      const body = { subject, audience, ...fields }
      printToken(await connect({ url, project, data }).mintToken({ body }), json)
    })
}

function addDerive(tokens: Command): void {
  const command = tokens
    .command('derive')
    .description('Derive a token from a token or a key that you hold: with its rights or fewer, and its end.')
    .argument('[parent]', '`-`: from standard input (default: CLAVIGER_CREDENTIAL)')
    .option('--audience <name>', 'a service that it is meant for; may be repeated', appendValue)
    .option('--ttl-seconds <seconds>', 'how long it lives, its parent permitting', parseWholeNumber)
    .option('--permissions <list>', 'narrow it to these, which the parent must hold', parseList)
    .option('--scopes <list>', "narrow the parent's permissions to these", parseList)
    .option('--claims <json>', 'a JSON object of further claims', parseJsonObject)
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ claviger tokens derive - --permissions documents:read < token.txt
  $ CLAVIGER_CREDENTIAL=ck_… claviger tokens derive --audience https://api.example.com --ttl-seconds 60`,
    )
    .action(async (argument: string | undefined, { url, project, data, json, ...fields }: DeriveOptions) => {
      const given = argument ?? process.env.CLAVIGER_CREDENTIAL
      if (given === undefined) {
        throw new CommandFailure(
          EXIT.usage,
          'Give the parent on standard input with `-`, or in CLAVIGER_CREDENTIAL, or as an argument.',
        )
      }
      const body = { parent: await readCredential(given), ...fields }
      printToken(await connect({ url, project, data }).mintToken({ body }), json)
    })
}

/** Warnings go to standard error: what is printed is piped on. */
function printToken(token: MintedToken, json: boolean | undefined): void {
  for (const { code, detail } of token.warnings ?? []) {
    console.error(`${colors.yellow('warning')}: ${detail} (${code})`)
  }
  if (json === true) {
    printJson(token)
    return
  }
  printRecord([
    ['id', token.id],
    ['expires', token.expiresAt],
  ])
  console.log(`\n${token.credential}`)
}
