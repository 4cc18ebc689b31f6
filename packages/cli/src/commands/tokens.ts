import type { MintTokenInput } from '@claviger/client'
import { type Command, Option } from 'commander'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { appendValue, parseJsonObject, parseList, parseWholeNumber } from '../option-values.ts'
import { printJson, printRecord } from '../output.ts'
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

export function addTokens(program: Command): void {
  const tokens = program
    .command('tokens')
    .helpCommand(false)
    .description('Mint access tokens, and explain them.')
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
      const [first = '', ...others] = audience
      const body = { subject, audience: others.length === 0 ? first : audience, ...fields }
      const token = await connect({ url, project, data }).mintToken({ body })
      if (json === true) return printJson(token)
      printRecord([
        ['id', token.id],
        ['expires', token.expiresAt],
      ])
      console.log(`\n${token.credential}`)
    })
  addExplain(tokens)
}
