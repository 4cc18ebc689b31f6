import { readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { AuditCheckpoint, AuditVerification, ClavigerClient } from '@claviger/client'
import { readChainParts } from './audit-chain-parts.ts'
import { type ConnectionOptions, connect } from './connection.ts'
import { CommandFailure, EXIT } from './exit-codes.ts'
import { printJson } from './output.ts'
import type { SetExitCode } from './program.ts'
import { printAuditVerification } from './show-audit.ts'

export interface VerifyOptions extends ConnectionOptions {
  readonly checkpoint?: string
  readonly offline?: boolean
  readonly file?: string
  readonly database?: string
}

/** Prints a report for each chain that was checked; exit code 1 when one has a fault. */
export async function verifyAudit(options: VerifyOptions, setExitCode: SetExitCode): Promise<void> {
  const checkpoints = options.checkpoint === undefined ? [] : await loadCheckpoints(options.checkpoint)
  const isOffline = options.offline === true || options.file !== undefined
  const reports = isOffline
    ? await verifyOffline(options, checkpoints)
    : [await verifyOnline(connect(options), checkpoints)]
  if (options.json === true) printJson(reports)
  else {
    for (const [index, report] of reports.entries()) {
      if (index > 0) console.log('')
      printAuditVerification(report)
    }
  }
  if (reports.some(({ ok }) => !ok)) setExitCode(EXIT.refused)
}

async function loadCheckpoints(file: string): Promise<readonly AuditCheckpoint[]> {
  const { readCheckpoints } = await import('@claviger/engine')
  let content: string
  try {
    content = file === '-' ? await text(process.stdin) : readFileSync(file, 'utf8')
  } catch {
    throw new CommandFailure(EXIT.usage, `The checkpoints in ${file} cannot be read.`)
  }
  return readCheckpoints(content)
}

/** Beside a server that runs, or without one: nothing is written, and the server is asked nothing. */
async function verifyOffline(
  { data, database, project, file }: VerifyOptions,
  checkpoints: readonly AuditCheckpoint[],
): Promise<readonly AuditVerification[]> {
  const { openOfflineAudit } = await import('@claviger/engine')
  const { readConfiguration } = await import('@claviger/server')
  const configuration = readConfiguration({
    flags: { data, database },
    environment: process.env,
    workingDirectory: process.cwd(),
  })
  const audit = await openOfflineAudit({
    database: configuration.database,
    masterKey: process.env.CLAVIGER_MASTER_KEY || undefined,
  })
  try {
    if (file === undefined) return await audit.verify({ project, checkpoints })
    return [await audit.verifyExport(await openLines(file), checkpoints)]
  } finally {
    audit.close()
  }
}

async function openLines(file: string): Promise<AsyncIterable<string>> {
  if (file === '-') return createInterface({ input: process.stdin })
  try {
    return (await open(file)).readLines()
  } catch {
    throw new CommandFailure(EXIT.usage, `The export ${file} cannot be read.`)
  }
}

/** The server checks the chain; whether the checkpoints agree with it is found out here. */
async function verifyOnline(
  client: ClavigerClient,
  checkpoints: readonly AuditCheckpoint[],
): Promise<AuditVerification> {
  const report = await client.verifyAudit()
  const own = checkpoints.filter(({ projectId }) => projectId === report.projectId)
  if (!report.ok || own.length === 0) return report
  const fault = await findDisagreement(client, { checkpoints: own, report })
  if (fault !== null) return { ...report, ok: false, fault }
  const through = Math.max(report.checkpointedThrough ?? 0, ...own.map(({ sequence }) => sequence))
  return { ...report, checkpoints: report.checkpoints + own.length, checkpointedThrough: through }
}

async function findDisagreement(
  client: ClavigerClient,
  { checkpoints, report }: { checkpoints: readonly AuditCheckpoint[]; report: AuditVerification },
): Promise<AuditVerification['fault']> {
  const { isCheckpointSigned } = await import('@claviger/engine')
  const { publicJwk } = await client.readAuditKey()
  const forged = checkpoints.find((checkpoint) => !isCheckpointSigned(publicJwk, checkpoint))
  if (forged !== undefined) {
    const detail = `The checkpoint of entry ${forged.sequence} was not signed by this installation.`
    return { sequence: forged.sequence, problem: 'forged-signature', detail }
  }
  const macs = new Map<number, string>()
  const asked = new Set(checkpoints.map(({ sequence }) => sequence))
  for await (const { entries } of readChainParts(client)) {
    for (const { sequence, mac } of entries) if (asked.has(sequence)) macs.set(sequence, mac)
  }
  const wrong = checkpoints
    .filter(({ sequence, mac }) => sequence > (report.prunedThrough ?? 0) && macs.get(sequence) !== mac)
    .sort((first, second) => first.sequence - second.sequence)
    .at(0)
  if (wrong === undefined) return null
  return macs.has(wrong.sequence)
    ? {
        sequence: wrong.sequence,
        problem: 'rewritten',
        detail: `Entry ${wrong.sequence} is another than the one that a checkpoint vouches for: the chain was cut before it, and went on.`,
      }
    : {
        sequence: report.lastSequence + 1,
        problem: 'truncated',
        detail: `The entries ${report.lastSequence + 1} to ${wrong.sequence} are missing: a checkpoint vouches for them.`,
      }
}
