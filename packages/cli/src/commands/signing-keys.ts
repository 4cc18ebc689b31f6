import type { CreateSigningKeyInput } from '@claviger/client'
import { type Command, Option } from 'commander'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { parseWholeNumber } from '../option-values.ts'
import { printJson, printRecord } from '../output.ts'
import { addPageOptions } from '../page-options.ts'
import { readSecret } from '../read-secret.ts'
import { showReceipt } from '../show-receipt.ts'
import { printSigningKey, printSigningKeys } from '../show-signing-key.ts'

type Algorithm = CreateSigningKeyInput['algorithm']

interface ListOptions extends ConnectionOptions {
  readonly algorithm?: Algorithm
  readonly status?: 'next' | 'active' | 'retiring' | 'retired'
  readonly limit?: number
  readonly cursor?: string
}

interface CreateOptions extends ConnectionOptions {
  readonly algorithm: Algorithm
}

interface RotateOptions extends ConnectionOptions {
  readonly algorithm?: Algorithm
}

interface ImportOptions extends ConnectionOptions {
  readonly algorithm: Algorithm
  readonly passphraseFile?: string
  readonly kid?: string
  readonly status?: CreateSigningKeyInput['status']
  readonly tokensUntil?: string
}

interface RetireOptions extends ConnectionOptions {
  readonly reason?: string
}

interface ExportOptions extends ConnectionOptions {
  readonly format: 'pem' | 'jwk'
}

interface ScheduleOptions extends ConnectionOptions {
  readonly periodSeconds?: number
  readonly never?: boolean
}

export function addSigningKeys(program: Command): void {
  const keys = program
    .command('signing-keys')
    .helpCommand(false)
    .description('Rotate, import, export and retire the keys that tokens are signed with.')
  addList(keys)
  addShow(keys)
  addCreate(keys)
  addRotate(keys)
  addImport(keys)
  addExport(keys)
  addRetire(keys)
  addSchedule(keys)
}

function addList(keys: Command): void {
  const command = keys
    .command('list')
    .description('List signing keys, those that are retired too.')
    .option('--algorithm <name>', 'of this algorithm')
    .addOption(
      new Option('--status <status>', 'of this status').choices(['next', 'active', 'retiring', 'retired']),
    )
  addPageOptions(command)
  addConnectionOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ claviger signing-keys list\n  $ claviger signing-keys list --status active',
    )
    .action(async ({ url, project, data, json, ...query }: ListOptions) => {
      const page = await connect({ url, project, data }).listSigningKeys({ query })
      if (json === true) printJson(page)
      else printSigningKeys(page)
    })
}

function addShow(keys: Command): void {
  addConnectionOptions(keys.command('show').description('Show a signing key: its state and its public part.'))
    .argument('<id>', "the key's kid")
    .addHelpText('after', '\nExample:\n  $ claviger signing-keys show MBr5Tzqwl4XWbhNu…')
    .action(async (id: string, options: ConnectionOptions) => {
      const key = await connect(options).readSigningKey({ path: { id } })
      if (options.json === true) return printJson(key)
      printSigningKey(key)
      if (key.publicPem !== null) console.log(`\n${key.publicPem.trimEnd()}`)
    })
}

function addCreate(keys: Command): void {
  addConnectionOptions(
    keys
      .command('create')
      .description('Make and publish the next key of an algorithm. It signs after the next rotation.')
      .requiredOption('--algorithm <name>', 'what it signs with'),
  )
    .addHelpText('after', '\nExample:\n  $ claviger signing-keys create --algorithm RS256')
    .action(async ({ algorithm, ...options }: CreateOptions) => {
      const key = await connect(options).createSigningKey({ body: { algorithm } })
      if (options.json === true) printJson(key)
      else printSigningKey(key)
    })
}

function addRotate(keys: Command): void {
  addConnectionOptions(
    keys
      .command('rotate')
      .description('Let the next key sign as soon as it was published for long enough.')
      .option('--algorithm <name>', "of which algorithm (default: the project's)"),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ claviger signing-keys rotate\n  $ claviger signing-keys rotate --algorithm ES256',
    )
    .action(async ({ algorithm, ...options }: RotateOptions) => {
      const key = await connect(options).rotateSigningKey({ body: { algorithm } })
      if (options.json === true) printJson(key)
      else printSigningKey(key)
    })
}

function addImport(keys: Command): void {
  addConnectionOptions(
    keys
      .command('import')
      .description('Bring in a private key that was made elsewhere: PEM, encrypted PEM or JWK.')
      .argument('[file]', 'the private key; `-`: from standard input (default: CLAVIGER_SIGNING_KEY)')
      .requiredOption('--algorithm <name>', 'what it signs with')
      .option(
        '--passphrase-file <file>',
        'of an encrypted PEM; `-`: from standard input (CLAVIGER_PASSPHRASE)',
      )
      .option('--kid <id>', 'what the tokens that are out name it')
      .addOption(
        new Option(
          '--status <status>',
          'next: signs after the next rotation; active: at once; retiring: never (default: next)',
        ).choices(['next', 'active', 'retiring']),
      )
      .option('--tokens-until <time>', 'when the last token that it signed elsewhere expires'),
  )
    .addHelpText(
      'after',
      `
Examples:
  $ claviger signing-keys import key.pem --algorithm RS256 --kid 2024-key
  $ claviger signing-keys import - --algorithm ES256 --passphrase-file passphrase.txt < key.pem`,
    )
    .action(async (file: string | undefined, options: ImportOptions) => {
      const { url, project, data, json, passphraseFile, ...fields } = options
      const body = { ...fields, ...(await readImport(file, passphraseFile)) }
      const key = await connect({ url, project, data }).createSigningKey({ body })
      if (json === true) printJson(key)
      else printSigningKey(key)
    })
}

function addExport(keys: Command): void {
  addConnectionOptions(
    keys
      .command('export')
      .description('Print the public part of a signing key. The private part never leaves the server.')
      .argument('<id>', "the key's kid")
      .addOption(new Option('--format <format>', 'of the key').choices(['pem', 'jwk']).default('pem')),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ claviger signing-keys export MBr5Tzqwl4XWbhNu… > public.pem\n  $ claviger signing-keys export MBr5Tzqwl4XWbhNu… --format jwk',
    )
    .action(async (id: string, { format, ...options }: ExportOptions) => {
      const key = await connect(options).readSigningKey({ path: { id } })
      if (options.json === true) return printJson(key)
      if (key.publicPem === null) {
        throw new CommandFailure(EXIT.refused, 'The key has no public part: it is symmetric.')
      }
      if (format === 'pem') console.log(key.publicPem.trimEnd())
      else printJson({ ...key.publicJwk, kid: key.id, use: 'sig' })
    })
}

function addRetire(keys: Command): void {
  addConnectionOptions(
    keys
      .command('retire')
      .description('Retire a signing key in an emergency: whatever it has signed is refused at once.')
      .argument('<id>', "the key's kid")
      .option('--reason <text>', 'for the record'),
  )
    .addHelpText(
      'after',
      '\nExample:\n  $ claviger signing-keys retire MBr5Tzqwl4XWbhNu… --reason "backup was stolen"',
    )
    .action(async (signingKeyId: string, { reason, ...options }: RetireOptions) => {
      const client = connect(options)
      const receipt = await client.createRevocation({ body: { signingKeyId, reason } })
      await showReceipt(client, receipt, options)
    })
}

function addSchedule(keys: Command): void {
  addConnectionOptions(
    keys
      .command('schedule')
      .description('Show how often signing keys are rotated by themselves, or set it.')
      .option('--period-seconds <seconds>', 'how long a key signs', parseWholeNumber)
      .option('--never', 'rotate by hand alone'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ claviger signing-keys schedule\n  $ claviger signing-keys schedule --period-seconds 2592000',
    )
    .action(async ({ periodSeconds, never, ...options }: ScheduleOptions) => {
      if (never === true && periodSeconds !== undefined) {
        throw new CommandFailure(EXIT.usage, 'Give --period-seconds or --never, not both.')
      }
      const client = connect(options)
      const wanted = never === true ? null : periodSeconds
      const schedule =
        wanted === undefined
          ? await client.readSigningSchedule()
          : await client.setSigningSchedule({ body: { periodSeconds: wanted } })
      if (options.json === true) return printJson(schedule)
      printRecord([
        ['period', schedule.periodSeconds === null ? 'by hand' : `${schedule.periodSeconds} s`],
        ['published ahead', `${schedule.publishAheadSeconds} s`],
      ])
    })
}

/** The private key and its passphrase, from files, standard input or the environment. */
async function readImport(
  file: string | undefined,
  passphraseFile: string | undefined,
): Promise<{ readonly key: string; readonly passphrase?: string }> {
  if (file === '-' && passphraseFile === '-') {
    throw new CommandFailure(
      EXIT.usage,
      'Only one of the key and its passphrase can come from standard input.',
    )
  }
  const key =
    file === undefined ? process.env.CLAVIGER_SIGNING_KEY : await readSecret(file, 'the private key')
  if (key === undefined || key === '') {
    throw new CommandFailure(
      EXIT.usage,
      'Give the file of the private key, `-` for standard input, or CLAVIGER_SIGNING_KEY.',
    )
  }
  if (passphraseFile !== undefined) {
    // An editor ends the last line; a passphrase has none.
    const passphrase = (await readSecret(passphraseFile, 'the passphrase')).replace(/\r?\n$/, '')
    return { key, passphrase }
  }
  const passphrase = process.env.CLAVIGER_PASSPHRASE
  return passphrase === undefined || passphrase === '' ? { key } : { key, passphrase }
}
