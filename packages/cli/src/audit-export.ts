import { once } from 'node:events'
import type { AuditChainPart, ChainedAuditEntry, ClavigerClient } from '@claviger/client'
import { csvLine } from '@claviger/server/csv'
import { readChainParts } from './audit-chain-parts.ts'
import { CommandFailure, EXIT } from './exit-codes.ts'

export const EXPORT_FORMATS = ['ndjson', 'csv'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

interface ExportRequest {
  readonly format: ExportFormat
  readonly after: number | undefined
}

/** Writes the chain to standard output as fast as that takes it. */
export async function exportAudit(client: ClavigerClient, { format, after }: ExportRequest): Promise<void> {
  const place = after === undefined || after === 0 ? null : await readPlace(client, after)
  const formatPart = format === 'csv' ? csvLines : ndjsonLines
  let isFirst = true
  for await (const part of readChainParts(client, after)) {
    const head = format === 'csv' ? CSV_HEAD : headOf(part, place)
    const lines = [...(isFirst ? [head] : []), ...formatPart(part)]
    isFirst = false
    const written = process.stdout.write(lines.map((line) => `${line}\n`).join(''))
    if (!written) await once(process.stdout, 'drain')
  }
}

interface Place {
  readonly sequence: number
  readonly mac: string
}

/** What the first exported entry follows: its MAC covers the MAC of that. */
async function readPlace(client: ClavigerClient, sequence: number): Promise<Place> {
  const { entries } = await client.readAuditChain({ query: { after: sequence - 1, limit: 1 } })
  const [entry] = entries
  if (entry?.sequence === sequence) return { sequence, mac: entry.mac }
  throw new CommandFailure(EXIT.refused, `There is no entry ${sequence} to go on after.`)
}

function headOf({ projectId, pruned }: AuditChainPart, after: Place | null): string {
  return JSON.stringify({ type: 'audit-export', version: 1, projectId, pruned, after })
}

/** Each entry, and after it the checkpoints that speak for it. */
function ndjsonLines({ entries, checkpoints }: AuditChainPart): readonly string[] {
  const byEntry = Map.groupBy(checkpoints, ({ sequence }) => sequence)
  return entries.flatMap((entry) => [
    JSON.stringify({ type: 'entry', ...entry }),
    ...(byEntry.get(entry.sequence) ?? []).map((checkpoint) =>
      JSON.stringify({ type: 'checkpoint', ...checkpoint }),
    ),
  ])
}

const CSV_COLUMNS = [
  'sequence',
  'at',
  'actor',
  'action',
  'target',
  'outcome',
  'address',
  'requestId',
  'commandId',
  'detail',
  'mac',
] as const satisfies readonly (keyof ChainedAuditEntry)[]

const CSV_HEAD = [...CSV_COLUMNS, 'checkpointAt', 'checkpointSignature'].join(',')

function csvLines({ entries, checkpoints }: AuditChainPart): readonly string[] {
  const byEntry = new Map(checkpoints.map((checkpoint) => [checkpoint.sequence, checkpoint]))
  return entries.map((entry) => {
    const checkpoint = byEntry.get(entry.sequence)
    const cells = CSV_COLUMNS.map((name) => entry[name])
    return csvLine([...cells, checkpoint?.at, checkpoint?.signature])
  })
}
