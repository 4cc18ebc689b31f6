import Type from 'typebox'
import { parseInput } from '../input.ts'
import { type AuditKeys, publicKeyOf } from './audit-keys.ts'
import { ChainVerification } from './chain-verification.ts'
import { AuditCheckpoint, pointOf } from './checkpoint.ts'
import { CHAIN_START } from './entry-mac.ts'
import { ChainedAuditEntry, rowOf } from './entry-view.ts'
import { type AuditVerification, reportOf } from './verify-chain.ts'

/** The lines of an export in NDJSON: a head, then entries in order, each followed by its checkpoints. */
export type AuditExport = AsyncIterable<string>

/** The first line of an export. */
export const AuditExportHead = Type.Object({
  type: Type.Literal('audit-export'),
  version: Type.Literal(1),
  projectId: Type.String(),
  pruned: Type.Union([AuditCheckpoint, Type.Null()]),
  /** Null: it begins where the chain does. */
  after: Type.Union([Type.Object({ sequence: Type.Integer(), mac: Type.String() }), Type.Null()]),
})

const ExportedEntry = Type.Object({ type: Type.Literal('entry'), ...ChainedAuditEntry.properties })
const ExportedCheckpoint = Type.Object({ type: Type.Literal('checkpoint'), ...AuditCheckpoint.properties })
const ExportedLine = Type.Union([ExportedEntry, ExportedCheckpoint])

/** Checks an export with the master key's help. Throws `invalid_request` for what is none. */
export async function verifyExport(
  lines: AuditExport,
  { keys, checkpoints }: { readonly keys: AuditKeys; readonly checkpoints: readonly AuditCheckpoint[] },
): Promise<AuditVerification> {
  let verification: ChainVerification | undefined
  let report = (): AuditVerification => {
    throw new TypeError('an export has a head')
  }
  for await (const line of lines) {
    if (line === '') continue
    const value: unknown = parseLine(line)
    if (verification === undefined) {
      const head = parseInput(AuditExportHead, value)
      const pruned = head.pruned === null ? undefined : pointOf(head.pruned, 'prune')
      const started = new ChainVerification(
        head.projectId,
        { chain: keys.chain, signing: publicKeyOf(keys) },
        head.after ?? pruned ?? CHAIN_START,
      )
      for (const checkpoint of checkpoints) {
        if (checkpoint.projectId === head.projectId) started.addCheckpoint(pointOf(checkpoint))
      }
      verification = started
      report = () => reportOf(head.projectId, started, pruned)
      continue
    }
    const item = parseInput(ExportedLine, value)
    if (item.type === 'entry') verification.addEntry(rowOf(item, verification.projectId))
    else verification.addCheckpoint(pointOf(item))
  }
  if (verification === undefined) parseInput(AuditExportHead, undefined)
  verification?.finish()
  return report()
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
