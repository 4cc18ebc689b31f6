import { type Command, Option } from 'commander'
import { clearedMembers, clearOption } from '../cleared-members.ts'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { parseDuration } from '../duration.ts'
import { addLimitOptions, type LimitFlags, limitMembers } from '../limit-options.ts'
import { listKeys } from '../list-keys.ts'
import { parseJsonObject, parseList, parseWholeNumber } from '../option-values.ts'
import { printJson } from '../output.ts'
import { addPageOptions } from '../page-options.ts'
import { reviewKeys } from '../review-keys.ts'
import { KEY_STATUSES, printIssuedKey, printKey, printKeys } from '../show-key.ts'
import { showReceipt } from '../show-receipt.ts'
import { printReview } from '../show-review.ts'

interface KeyOptions extends ConnectionOptions, LimitFlags {
  readonly roles?: string[]
  readonly permissions?: string[]
  readonly scopes?: string[]
  readonly expiresAt?: string
  readonly notBefore?: string
  readonly ipAllow?: string[]
  readonly metadata?: Record<string, unknown>
}

interface CreateOptions extends KeyOptions {
  readonly subject?: string
  readonly prefix?: string
}

interface ChangeOptions extends KeyOptions {
  readonly name?: string
  readonly disabled?: boolean
  readonly clear?: string[]
}

interface ListOptions extends ConnectionOptions {
  readonly name?: string
  readonly subject?: string
  readonly prefix?: string
  readonly locator?: string
  readonly shape?: string
  readonly status?: (typeof KEY_STATUSES)[number]
  readonly neverUsed?: boolean
  readonly unused?: number
  readonly expiring?: number
  readonly neverExpires?: boolean
  readonly unlimited?: boolean
  readonly notRotated?: number
  readonly overBroad?: boolean
  readonly limit?: number
  readonly cursor?: string
}

interface ReviewOptions extends ConnectionOptions {
  readonly unused: number
  readonly expiring: number
  readonly notRotated: number
  readonly limit: number
}

interface RotateOptions extends ConnectionOptions {
  readonly overlapSeconds?: number
}

interface RevokeOptions extends ConnectionOptions {
  readonly reason?: string
  readonly keepIssued?: boolean
}

const DAY_SECONDS = 86_400

/** What `keys change --clear` can take away: the members that may be null. */
const CLEARABLE = ['scopes', 'expires-at', 'not-before', 'ip-allow', 'limits', 'quota'] as const

export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .helpCommand(false)
    .description('Create, change, rotate and end API keys.')
  addCreate(keys)
  addList(keys)
  addReview(keys)
  addRead(keys)
  addChange(keys)
  addRotate(keys)
  addRevokeKey(keys)
  addDelete(keys)
}

function addCreate(keys: Command): void {
  const command = keys
    .command('create')
    .description('Create an API key. Its text is shown this once.')
    .argument('<name>', 'for people; need not be unique')
    .option('--subject <id>', 'who the key speaks for (default: itself)')
    .option('--prefix <text>', "what the key's text begins with (default: the project's)")
  addRightsOptions(command)
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ claviger keys create "Acme production" --roles reader
  $ claviger keys create ci --subject team-7 --permissions documents:read,documents:write \\
      --expires-at 2030-01-01T00:00:00Z --ip-allow 10.0.0.0/8
  $ claviger keys create trial --limit per-minute=100/60s --limit burst=10/1s --quota 1000/daily`,
    )
    .action(async (name: string, { url, project, data, json, limit, quota, ...fields }: CreateOptions) => {
      const body = { name, ...fields, ...limitMembers({ limit, quota }) }
      const key = await connect({ url, project, data }).createKey({ body })
      if (json === true) printJson(key)
      else printIssuedKey(key)
    })
}

function addList(keys: Command): void {
  const command = keys
    .command('list')
    .description('List API keys, the oldest first.')
    .option('--name <name>', 'of this name')
    .option('--subject <id>', 'of this subject')
    .option('--prefix <text>', 'of this prefix')
    .option('--locator <text>', 'of this locator, the part after the prefix that logs show')
    .option('--shape <name>', 'known by a text of this key shape, which still works')
    .addOption(new Option('--status <status>', 'of this status').choices(KEY_STATUSES))
    .option('--never-used', 'never used since they were created')
    .option('--unused <duration>', 'neither created nor used for so long, such as 30d', parseDuration)
    .option('--expiring <duration>', 'that expire within this time, such as 7d', parseDuration)
    .option('--never-expires', 'without an expiry')
    .option('--unlimited', 'without any rate limit or quota, of their own or of their subject')
    .option('--not-rotated <duration>', 'whose text is at least so old, such as 90d', parseDuration)
    .option('--over-broad', 'that may act on every resource')
  addPageOptions(command)
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
Several filters together list the keys that meet all of them.

Examples:
  $ claviger keys list --status active
  $ claviger keys list --subject team-7 --json
  $ claviger keys list --status active --never-used --unused 30d
  $ claviger keys list --status active --expiring 7d
  $ claviger keys list --over-broad --not-rotated 90d`,
    )
    .action(
      async ({
        url,
        project,
        data,
        json,
        unused: unusedForSeconds,
        expiring: expiresWithinSeconds,
        notRotated: notRotatedForSeconds,
        ...filters
      }: ListOptions) => {
        const query = { ...filters, unusedForSeconds, expiresWithinSeconds, notRotatedForSeconds }
        const page = await listKeys(connect({ url, project, data }), query)
        if (json === true) printJson(page)
        else printKeys(page)
      },
    )
}

function addReview(keys: Command): void {
  addConnectionOptions(
    keys
      .command('review')
      .description('Find the active keys that somebody should look at, and say why.')
      .addOption(periodOption('--unused <duration>', 'count keys as unused after so long', 90))
      .addOption(periodOption('--expiring <duration>', 'count keys that expire within this time', 14))
      .addOption(periodOption('--not-rotated <duration>', 'count texts as old after so long', 365))
      .option('--limit <number>', 'of each kind, so many at most', parseWholeNumber, 1_000),
  )
    .addHelpText(
      'after',
      `
It changes nothing.

Examples:
  $ claviger keys review
  $ claviger keys review --unused 30d --not-rotated 90d
  $ claviger keys review --json`,
    )
    .action(async ({ unused, expiring, notRotated, limit, ...options }: ReviewOptions) => {
      const periods = {
        unusedSeconds: unused,
        expiringSeconds: expiring,
        notRotatedSeconds: notRotated,
      }
      const findings = await reviewKeys(connect(options), { ...periods, limit })
      if (options.json === true) printJson({ findings })
      else printReview(findings)
    })
}

function periodOption(flag: string, description: string, days: number): Option {
  return new Option(flag, description).argParser(parseDuration).default(days * DAY_SECONDS, `${days}d`)
}

function addRead(keys: Command): void {
  addConnectionOptions(keys.command('read').description('Show all that is known of an API key.'))
    .argument('<id>', "the key's id")
    .addHelpText('after', '\nExample:\n  $ claviger keys read key_01J…')
    .action(async (id: string, options: ConnectionOptions) => {
      const key = await connect(options).readKey({ path: { id } })
      if (options.json === true) printJson(key)
      else printKey(key)
    })
}

function addChange(keys: Command): void {
  const command = keys
    .command('change')
    .description('Change an API key. What is not named stays as it is.')
    .argument('<id>', "the key's id")
    .option('--name <name>', 'another name')
    .option('--disabled', 'suspend the key, and the tokens that name it as their client')
    .option('--no-disabled', 'let it work again')
    .addOption(clearOption(CLEARABLE))
  addRightsOptions(command)
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
An empty list is given as "": --roles "" takes every role away, --clear scopes stops narrowing.
The limits that are named replace all that there were, and keep what was spent.

Examples:
  $ claviger keys change key_01J… --roles reader,writer
  $ claviger keys change key_01J… --disabled
  $ claviger keys change key_01J… --limit per-minute=200/60s
  $ claviger keys change key_01J… --clear expires-at,ip-allow`,
    )
    .action(
      async (
        id: string,
        { url, project, data, json, limit, quota, clear = [], ...fields }: ChangeOptions,
        self: Command,
      ) => {
        const body = {
          ...fields,
          ...limitMembers({ limit, quota }),
          ...clearedMembers(clear, CLEARABLE, self),
        }
        const key = await connect({ url, project, data }).changeKey({ path: { id }, body })
        if (json === true) printJson(key)
        else printKey(key)
      },
    )
}

function addRotate(keys: Command): void {
  addConnectionOptions(
    keys
      .command('rotate')
      .description('Give an API key another text. The former one works on for the overlap.')
      .argument('<id>', "the key's id")
      .option(
        '--overlap-seconds <seconds>',
        'how long the former text still works (default: 86400)',
        parseWholeNumber,
      ),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ claviger keys rotate key_01J…\n  $ claviger keys rotate key_01J… --overlap-seconds 3600',
    )
    .action(async (id: string, { overlapSeconds, ...options }: RotateOptions) => {
      const key = await connect(options).rotateKey({ path: { id }, body: { overlapSeconds } })
      if (options.json === true) printJson(key)
      else printIssuedKey(key)
    })
}

function addRevokeKey(keys: Command): void {
  addConnectionOptions(
    keys
      .command('revoke')
      .description('End an API key for good, and the tokens that name it as their client.')
      .argument('<id>', "the key's id")
      .option('--reason <text>', 'for the record')
      .option('--keep-issued', 'let those tokens live on'),
  )
    .addHelpText('after', '\nExample:\n  $ claviger keys revoke key_01J… --reason "found in a repository"')
    .action(async (id: string, { reason, keepIssued, ...options }: RevokeOptions) => {
      const client = connect(options)
      const receipt = await client.revokeKey({ path: { id }, body: { reason, keepIssued } })
      await showReceipt(client, receipt, options)
    })
}

function addDelete(keys: Command): void {
  addConnectionOptions(keys.command('delete').description('Revoke an API key and take it out of every list.'))
    .argument('<id>', "the key's id")
    .addHelpText('after', '\nExample:\n  $ claviger keys delete key_01J…')
    .action(async (id: string, options: ConnectionOptions) => {
      await connect(options).deleteKey({ path: { id } })
      if (options.json !== true) console.log('The key is gone.')
    })
}

function addRightsOptions(command: Command): void {
  command
    .option('--roles <names>', 'roles, separated by commas', parseList)
    .option('--permissions <list>', 'permissions resource:action, separated by commas', parseList)
    .option('--scopes <list>', 'narrow roles and permissions to these', parseList)
    .option('--expires-at <time>', 'until when it is valid, as 2030-01-01T00:00:00Z')
    .option('--not-before <time>', 'from when on it is valid')
    .option('--ip-allow <blocks>', 'addresses or CIDR blocks it may be used from', parseList)
    .option('--metadata <json>', 'a JSON object that verifiers are told', parseJsonObject)
  addLimitOptions(command)
}
