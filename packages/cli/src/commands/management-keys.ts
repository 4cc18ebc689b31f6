import type { CreateManagementKeyInput } from '@claviger/client'
import { type Command, Option } from 'commander'
import { clearedMembers, clearOption } from '../cleared-members.ts'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { parseList, parseWholeNumber } from '../option-values.ts'
import { printJson } from '../output.ts'
import { addPageOptions } from '../page-options.ts'
import { KEY_STATUSES } from '../show-key.ts'
import { printIssuedManagementKey, printManagementKey, printManagementKeys } from '../show-management-key.ts'
import { showReceipt } from '../show-receipt.ts'

interface RightsOptions extends ConnectionOptions {
  readonly verbs?: NonNullable<CreateManagementKeyInput['verbs']>
  readonly grants?: string[]
  readonly expiresAt?: string
  readonly ipAllow?: string[]
}

interface CreateOptions extends RightsOptions {
  readonly preset?: CreateManagementKeyInput['preset']
}

interface ChangeOptions extends RightsOptions {
  readonly name?: string
  readonly disabled?: boolean
  readonly clear?: string[]
}

interface ListOptions extends ConnectionOptions {
  readonly name?: string
  readonly status?: (typeof KEY_STATUSES)[number]
  readonly limit?: number
  readonly cursor?: string
}

interface RotateOptions extends ConnectionOptions {
  readonly overlapSeconds?: number
}

interface RevokeOptions extends ConnectionOptions {
  readonly reason?: string
  readonly keepIssued?: boolean
}

const PRESETS = [
  'edge',
  'gateway',
  'backend',
  'auditor',
] as const satisfies CreateManagementKeyInput['preset'][]

/** What `management-keys change --clear` can take away: the members that may be null. */
const CLEARABLE = ['expires-at', 'ip-allow'] as const

export function addManagementKeys(program: Command): void {
  const keys = program
    .command('management-keys')
    .helpCommand(false)
    .description('Create, change, rotate and end the keys of the management API.')
  addCreate(keys)
  addList(keys)
  addRead(keys)
  addChange(keys)
  addRotate(keys)
  addRevokeKey(keys)
  addDelete(keys)
}

function addCreate(keys: Command): void {
  const command = keys
    .command('create')
    .description('Create a management key for one project. Its text is shown this once.')
    .argument('<name>', 'for people; need not be unique')
    .addOption(new Option('--preset <name>', 'the verbs of a usual job').choices(PRESETS).conflicts('verbs'))
  addRightsOptions(command)
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
Verbs are what the key may do, grants what it may hand out to others: none, unless they are given. The
key is bound to the project that --project names.

Examples:
  $ claviger management-keys create "API gateway" --preset gateway
  $ claviger management-keys create backend --preset backend --grants "documents:*,billing:read"
  $ claviger management-keys create minter --verbs tokens:mint --grants documents:read --project staging`,
    )
    .action(async (name: string, { url, project, data, json, ...fields }: CreateOptions) => {
      const key = await connect({ url, project, data }).createManagementKey({ body: { name, ...fields } })
      if (json === true) printJson(key)
      else printIssuedManagementKey(key)
    })
}

function addList(keys: Command): void {
  const command = keys
    .command('list')
    .description('List management keys, the oldest first: those of the project, for a root key all.')
    .option('--name <name>', 'of this name')
    .addOption(new Option('--status <status>', 'of this status').choices(KEY_STATUSES))
  addPageOptions(command)
  addConnectionOptions(command)
    .addHelpText('after', '\nExample:\n  $ claviger management-keys list --status active')
    .action(async ({ url, project, data, json, ...query }: ListOptions) => {
      const page = await connect({ url, project, data }).listManagementKeys({ query })
      if (json === true) printJson(page)
      else printManagementKeys(page)
    })
}

function addRead(keys: Command): void {
  addConnectionOptions(keys.command('read').description('Show all that is known of a management key.'))
    .argument('<id>', "the key's id")
    .addHelpText('after', '\nExample:\n  $ claviger management-keys read key_01J…')
    .action(async (id: string, options: ConnectionOptions) => {
      const key = await connect(options).readManagementKey({ path: { id } })
      if (options.json === true) printJson(key)
      else printManagementKey(key)
    })
}

function addChange(keys: Command): void {
  const command = keys
    .command('change')
    .description('Change a management key. What is not named stays as it is.')
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
Examples:
  $ claviger management-keys change key_01J… --grants documents:read
  $ claviger management-keys change key_01J… --disabled
  $ claviger management-keys change key_01J… --clear expires-at`,
    )
    .action(
      async (
        id: string,
        { url, project, data, json, clear = [], ...fields }: ChangeOptions,
        self: Command,
      ) => {
        const body = { ...fields, ...clearedMembers(clear, CLEARABLE, self) }
        const key = await connect({ url, project, data }).changeManagementKey({ path: { id }, body })
        if (json === true) printJson(key)
        else printManagementKey(key)
      },
    )
}

function addRotate(keys: Command): void {
  addConnectionOptions(
    keys
      .command('rotate')
      .description('Give a management key another text. The former one works on for the overlap.')
      .argument('<id>', "the key's id")
      .option(
        '--overlap-seconds <seconds>',
        'how long the former text still works (default: 86400)',
        parseWholeNumber,
      ),
  )
    .addHelpText('after', '\nExample:\n  $ claviger management-keys rotate key_01J… --overlap-seconds 3600')
    .action(async (id: string, { overlapSeconds, ...options }: RotateOptions) => {
      const key = await connect(options).rotateManagementKey({ path: { id }, body: { overlapSeconds } })
      if (options.json === true) printJson(key)
      else printIssuedManagementKey(key)
    })
}

function addRevokeKey(keys: Command): void {
  addConnectionOptions(
    keys
      .command('revoke')
      .description('End a management key for good, and the tokens that name it as their client.')
      .argument('<id>', "the key's id")
      .option('--reason <text>', 'for the record')
      .option('--keep-issued', 'let those tokens live on'),
  )
    .addHelpText('after', '\nExample:\n  $ claviger management-keys revoke key_01J… --reason "lost laptop"')
    .action(async (id: string, { reason, keepIssued, ...options }: RevokeOptions) => {
      const client = connect(options)
      const receipt = await client.revokeManagementKey({ path: { id }, body: { reason, keepIssued } })
      await showReceipt(client, receipt, options)
    })
}

function addDelete(keys: Command): void {
  addConnectionOptions(
    keys.command('delete').description('Revoke a management key and take it out of every list.'),
  )
    .argument('<id>', "the key's id")
    .addHelpText('after', '\nExample:\n  $ claviger management-keys delete key_01J…')
    .action(async (id: string, options: ConnectionOptions) => {
      await connect(options).deleteManagementKey({ path: { id } })
      if (options.json !== true) console.log('The key is gone.')
    })
}

function addRightsOptions(command: Command): void {
  command
    .option('--verbs <list>', 'what it may do, as keys:read, separated by commas', parseList)
    .option('--grants <list>', 'patterns of the permissions that it may hand out', parseList)
    .option('--expires-at <time>', 'until when it is valid, as 2030-01-01T00:00:00Z')
    .option('--ip-allow <blocks>', 'addresses or CIDR blocks it may be used from', parseList)
}
