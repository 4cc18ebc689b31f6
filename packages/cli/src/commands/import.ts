import { createReadStream, fstatSync, openSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Command } from 'commander'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import type { ImportTotals } from '../import/import-lines.ts'
import { printJson, printRecord } from '../output.ts'
import type { SetExitCode } from '../program.ts'

interface ImportOptions extends ConnectionOptions {
  readonly shape: string
  readonly dryRun?: boolean
  readonly report?: string
}

export function addImport(program: Command, setExitCode: SetExitCode): void {
  addConnectionOptions(
    program
      .command('import')
      .description('Import keys that were issued elsewhere, by their hashes, from NDJSON.')
      .argument('<file>', 'one key a line; `-`: from standard input')
      .requiredOption('--shape <name>', 'the key shape that they have (claviger key-shapes put)')
      .option('--dry-run', 'say what would become of each line, and write nothing')
      .option('--report <file>', 'where lines that fail are named (default: <file>.failed.ndjson)'),
  )
    .addHelpText(
      'after',
      `
A line is a JSON object with the SHA-256 of a key as \`hash\`, or its text as \`key\`, which is hashed here
and goes nowhere; beside it whatever \`POST /v1/keys/import\` takes, such as name, subject, roles,
permissions, expiresAt, metadata, createdAt, lastUsedAt.

Run it again after it was stopped: lines that were imported are passed over. Exit code 1: some failed,
and the report says which lines, and why.

Examples:
  $ claviger import keys.ndjson --shape unkey --dry-run
  $ claviger import keys.ndjson --shape unkey
  $ zcat keys.ndjson.gz | claviger import - --shape unkey --report failed.ndjson`,
    )
    .action(async (file: string, options: ImportOptions) => {
      const totals = await importFile(file, options)
      if (totals.failed > 0) setExitCode(EXIT.refused)
    })
}

/** What does the work is loaded when it is used: most commands need none of it. */
async function importFile(file: string, options: ImportOptions): Promise<ImportTotals> {
  const { FailureReport } = await import('../import/failure-report.ts')
  const { importLines } = await import('../import/import-lines.ts')
  const { readLines } = await import('../import/read-lines.ts')
  const { showProgress } = await import('../import/show-progress.ts')
  const client = connect(options)
  const shape = await client.readKeyShape({ path: { name: options.shape } })
  const { input, totalBytes } = openInput(file)
  const report = new FailureReport(reportFileOf(file, options.report))
  const display = showProgress(totalBytes)
  try {
    const dryRun = options.dryRun === true
    const totals = await importLines(readLines(input), {
      client,
      shape,
      dryRun,
      report,
      onProgress: display.update,
    })
    display.end()
    printTotals(totals, { dryRun, reportFile: report.file, json: options.json === true })
    return totals
  } catch (error) {
    display.end()
    console.error('Stopped. Run the same command again to go on: what was imported is passed over.')
    throw error
  } finally {
    report.close()
    input.destroy()
  }
}

function openInput(file: string): { readonly input: Readable; readonly totalBytes: number | undefined } {
  if (file === '-') return { input: process.stdin, totalBytes: undefined }
  try {
    const descriptor = openSync(file, 'r')
    const stats = fstatSync(descriptor)
    return {
      input: createReadStream(file, { fd: descriptor, highWaterMark: 262_144 }),
      totalBytes: stats.isFile() ? stats.size : undefined,
    }
  } catch {
    throw new CommandFailure(EXIT.usage, 'The file of keys cannot be read.')
  }
}

function reportFileOf(file: string, given: string | undefined): string {
  const name = given ?? (file === '-' ? 'import.failed.ndjson' : `${file}.failed.ndjson`)
  if (file === '-' || resolve(name) !== resolve(file)) return name
  throw new CommandFailure(
    EXIT.usage,
    'The report would overwrite the keys. Name another file with --report.',
  )
}

function printTotals(
  totals: ImportTotals,
  shown: { readonly dryRun: boolean; readonly reportFile: string; readonly json: boolean },
): void {
  const report = totals.failed === 0 ? null : shown.reportFile
  if (shown.json) {
    printJson({ ...totals, dryRun: shown.dryRun, report })
    return
  }
  printRecord([
    ['lines', String(totals.lines)],
    [shown.dryRun ? 'would be imported' : 'imported', String(totals.imported)],
    ['there already', String(totals.exists)],
    ['failed', String(totals.failed)],
    ...(report === null ? [] : [['report', report] as const]),
  ])
}
