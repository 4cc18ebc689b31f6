import { text } from 'node:stream/consumers'
import type { ClavigerClient, CreateSessionInput } from '@claviger/client'
import { type Command, Option } from 'commander'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { appendValue, parseJsonObject, parseList, parseWholeNumber } from '../option-values.ts'
import { printJson } from '../output.ts'
import { addPageOptions } from '../page-options.ts'
import { showReceipt } from '../show-receipt.ts'
import { printSession, printSessions, printSessionTokens, SESSION_STATES } from '../show-session.ts'

interface CreateOptions extends ConnectionOptions, Omit<CreateSessionInput, 'subject' | 'audience'> {
  readonly audience: string[]
}

interface RefreshOptions extends ConnectionOptions {
  readonly device?: string
  readonly ip?: string
}

interface ListOptions extends ConnectionOptions {
  readonly subject?: string
  readonly state?: (typeof SESSION_STATES)[number]
  readonly limit?: number
  readonly cursor?: string
}

interface RevokeOptions extends ConnectionOptions {
  readonly subject?: string
  readonly reason?: string
}

export function addSessions(program: Command): void {
  const sessions = program
    .command('sessions')
    .helpCommand(false)
    .description('Log subjects in and out: begin, refresh, list and end their sessions.')
  addCreate(sessions)
  addRefresh(sessions)
  addList(sessions)
  addShow(sessions)
  addRevokeSession(sessions)
}

function addCreate(sessions: Command): void {
  const command = sessions
    .command('create')
    .description('Begin a session for a subject that you have logged in.')
    .argument('<subject>', 'who its tokens speak for')
    .addOption(
      new Option('--audience <name>', 'a service that they are meant for; may be repeated')
        .argParser(appendValue)
        .makeOptionMandatory(),
    )
    .option(
      '--roles <names>',
      "roles, separated by commas (default: those of the subject's record)",
      parseList,
    )
    .option('--permissions <list>', 'permissions resource:action, separated by commas', parseList)
    .option('--scopes <list>', 'narrow roles and permissions to these', parseList)
    .option('--claims <json>', 'a JSON object of further claims of its access tokens', parseJsonObject)
    .option('--algorithm <name>', "what they are signed with (default: the project's)")
    .option('--access-ttl-seconds <seconds>', 'how long one lives (default: 600)', parseWholeNumber)
    .option('--ttl-seconds <seconds>', 'how long the session lives (default: 30 days)', parseWholeNumber)
    .option('--idle-seconds <seconds>', 'how long without a refresh (default: 7 days)', parseWholeNumber)
  addPlaceOptions(command)
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ claviger sessions create alice --audience https://api.example.com --roles reader
  $ claviger sessions create alice --audience https://api.example.com --device "Firefox on Linux" --json`,
    )
    .action(async (subject: string, { url, project, data, json, audience, ...fields }: CreateOptions) => {
      const [first = '', ...others] = audience
      const body = { subject, audience: others.length === 0 ? first : audience, ...fields }
      const tokens = await connect({ url, project, data }).createSession({ body })
      if (json === true) printJson(tokens)
      else printSessionTokens(tokens)
    })
}

function addRefresh(sessions: Command): void {
  const command = sessions
    .command('refresh')
    .description('Exchange a refresh token for its successor and a fresh access token.')
  addPlaceOptions(command)
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
The refresh token comes from CLAVIGER_REFRESH_TOKEN, else from standard input. Keep the one that is
answered: to use a former one again ends the session.

Examples:
  $ claviger sessions refresh < refresh-token.txt
  $ CLAVIGER_REFRESH_TOKEN=ck_rt_… claviger sessions refresh --json`,
    )
    .action(async ({ url, project, data, json, ...fields }: RefreshOptions) => {
      const refreshToken = await readRefreshToken()
      const tokens = await connect({ url, project, data }).refreshSession({
        body: { refreshToken, ...fields },
      })
      if (json === true) printJson(tokens)
      else printSessionTokens(tokens)
    })
}

function addList(sessions: Command): void {
  const command = sessions
    .command('list')
    .description('List sessions, the newest first.')
    .option('--subject <id>', 'of this subject')
    .addOption(new Option('--state <state>', 'in this state').choices(SESSION_STATES))
  addPageOptions(command)
  addConnectionOptions(command)
    .addHelpText('after', '\nExample:\n  $ claviger sessions list --subject alice --state active')
    .action(async ({ url, project, data, json, ...query }: ListOptions) => {
      const page = await connect({ url, project, data }).listSessions({ query })
      if (json === true) printJson(page)
      else printSessions(page)
    })
}

function addShow(sessions: Command): void {
  addConnectionOptions(
    sessions.command('show').alias('read').description('Show all that is known of a session.'),
  )
    .argument('<id>', "the session's id, the `sid` of its tokens")
    .addHelpText('after', '\nExample:\n  $ claviger sessions show ses_01J…')
    .action(async (id: string, options: ConnectionOptions) => {
      const session = await connect(options).readSession({ path: { id } })
      if (options.json === true) printJson(session)
      else printSession(session)
    })
}

function addRevokeSession(sessions: Command): void {
  addConnectionOptions(
    sessions
      .command('revoke')
      .description('Log out: end a session, or all that a subject has, and every token of it.')
      .argument('[id]', "the session's id")
      .option('--subject <id>', 'every session of this subject, and every other token that it has')
      .option('--reason <text>', 'for the record'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ claviger sessions revoke ses_01J… --reason "logged out"\n  $ claviger sessions revoke --subject alice',
    )
    .action(async (id: string | undefined, { subject, reason, ...options }: RevokeOptions) => {
      const client = connect(options)
      await showReceipt(client, await endSessions(client, { id, subject }, reason), options)
    })
}

/** One rule ends whatever a subject has so far, a session that is begun at this moment included: none has to be listed. */
function endSessions(
  client: ClavigerClient,
  { id, subject }: { readonly id: string | undefined; readonly subject: string | undefined },
  reason: string | undefined,
) {
  if (id !== undefined && subject === undefined) {
    return client.revokeSession({ path: { id }, body: { reason } })
  }
  if (id === undefined && subject !== undefined) {
    return client.createRevocation({ body: { subject, only: 'tokens', reason } })
  }
  throw new CommandFailure(EXIT.usage, "Name one thing to end: a session's id, or --subject.")
}

function addPlaceOptions(command: Command): void {
  command
    .option('--device <text>', 'what the session is used with, for the list')
    .option('--ip <address>', "the end client's address, for the list")
}

/** Not from an argument: arguments stand in the shell's history, and every user of the machine can list them. */
async function readRefreshToken(): Promise<string> {
  const variable = process.env.CLAVIGER_REFRESH_TOKEN
  if (variable === undefined && process.stdin.isTTY === true) {
    throw new CommandFailure(
      EXIT.usage,
      'Give the refresh token on standard input, or in CLAVIGER_REFRESH_TOKEN.',
    )
  }
  const refreshToken = (variable ?? (await text(process.stdin))).trim()
  if (refreshToken !== '') return refreshToken
  throw new CommandFailure(EXIT.usage, 'The refresh token is empty.')
}
