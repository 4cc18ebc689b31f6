import { type Command, Option } from 'commander'
import { EXPORT_FORMATS, type ExportFormat, exportAudit } from '../audit-export.ts'
import { type VerifyOptions, verifyAudit } from '../audit-verify.ts'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { parseWholeNumber } from '../option-values.ts'
import { printJson, printRecord } from '../output.ts'
import { addPageOptions } from '../page-options.ts'
import type { SetExitCode } from '../program.ts'
import { printAuditEntries } from '../show-audit.ts'

interface ListOptions extends ConnectionOptions {
  readonly actor?: string
  readonly action?: string
  readonly target?: string
  readonly outcome?: 'done' | 'refused'
  readonly from?: string
  readonly to?: string
  readonly limit?: number
  readonly cursor?: string
}

interface ExportOptions extends ConnectionOptions {
  readonly format: ExportFormat
  readonly after?: number
}

interface PruneOptions extends ConnectionOptions {
  readonly before: string
}

export function addAudit(program: Command, setExitCode: SetExitCode): void {
  const audit = program
    .command('audit')
    .helpCommand(false)
    .description('See who did what, and prove that nobody has rewritten it.')
  addList(audit)
  addVerify(audit, setExitCode)
  addExport(audit)
  addKey(audit)
  addPrune(audit)
}

function addList(audit: Command): void {
  const command = audit
    .command('list')
    .description('List audit entries, the newest first.')
    .option('--actor <name>', 'of this management key, or `embedder`, `installation`, `anonymous`')
    .option('--action <name>', 'of this action, such as key.create or call.refuse')
    .option('--target <id>', 'done to this')
    .addOption(new Option('--outcome <outcome>', 'done, or refused').choices(['done', 'refused']))
    .option('--from <time>', 'at this time or later')
    .option('--to <time>', 'before this time')
  addPageOptions(command)
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
Calls without a known management key stand in the project claviger.

Examples:
  $ claviger audit list --action key.create --from 2030-01-01T00:00:00Z
  $ claviger audit list --project claviger --outcome refused`,
    )
    .action(async ({ url, project, data, json, ...query }: ListOptions) => {
      const page = await connect({ url, project, data }).listAuditEntries({ query })
      if (json === true) printJson(page)
      else printAuditEntries(page)
    })
}

function addVerify(audit: Command, setExitCode: SetExitCode): void {
  addConnectionOptions(
    audit
      .command('verify')
      .description('Find out whether anybody without the master key has changed the audit.')
      .option(
        '--checkpoint <file>',
        'checkpoints that were kept elsewhere, such as the log; `-`: standard input',
      )
      .option(
        '--offline',
        'read the data folder itself, with its master key; every project unless one is named',
      )
      .option('--file <export>', 'check an NDJSON export, with the master key of the data folder')
      .option(
        '--database <address>',
        'with --offline and --file: the database, as sqlite:FILE (CLAVIGER_DATABASE)',
      ),
  )
    .addHelpText(
      'after',
      `
The first entry that is wrong or missing is named, and the exit code is 1. What was cut off after the
last checkpoint leaves no trace: keep the log where the server's users cannot change it.

Examples:
  $ claviger audit verify
  $ claviger audit verify --offline --data /var/lib/claviger --checkpoint claviger.log
  $ claviger audit verify --file audit.ndjson --data /var/lib/claviger`,
    )
    .action((options: VerifyOptions) => verifyAudit(options, setExitCode))
}

function addExport(audit: Command): void {
  addConnectionOptions(
    audit
      .command('export')
      .description('Write the audit of a project to standard output, in its order.')
      .addOption(
        new Option('--format <format>', 'ndjson can be checked later; csv is for spreadsheets')
          .choices(EXPORT_FORMATS)
          .default('ndjson'),
      )
      .option(
        '--after <number>',
        'entries with a higher number, for an archive that goes on',
        parseWholeNumber,
      ),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ claviger audit export > audit.ndjson\n  $ claviger audit export --format csv > audit.csv',
    )
    .action(async ({ format, after, ...options }: ExportOptions) => {
      await exportAudit(connect(options), { format, after })
    })
}

function addKey(audit: Command): void {
  addConnectionOptions(
    audit.command('key').description('Show the public key that audit checkpoints are checked with.'),
  )
    .addHelpText('after', '\nExample:\n  $ claviger audit key')
    .action(async (options: ConnectionOptions) => {
      const key = await connect(options).readAuditKey()
      if (options.json === true) printJson(key)
      else console.log(key.pem.trimEnd())
    })
}

function addPrune(audit: Command): void {
  addConnectionOptions(
    audit
      .command('prune')
      .description(
        'Remove old audit entries; the rest can still be checked. Without it they are kept for ever.',
      )
      .requiredOption('--before <time>', 'from before this time, which lies a day or more in the past'),
  )
    .addHelpText('after', '\nExample:\n  $ claviger audit prune --before 2030-01-01T00:00:00Z')
    .action(async ({ before, ...options }: PruneOptions) => {
      const pruned = await connect(options).pruneAudit({ body: { before } })
      if (options.json === true) printJson(pruned)
      else {
        printRecord([
          ['removed', String(pruned.removed)],
          ['through entry', pruned.prunedThrough === null ? null : String(pruned.prunedThrough)],
        ])
      }
    })
}
