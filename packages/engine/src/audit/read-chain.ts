import Type, { type Static } from 'typebox'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import { AuditCheckpoint, checkpointOf } from './checkpoint.ts'
import { CHAIN_START } from './entry-mac.ts'
import { ChainedAuditEntry, chainedEntry } from './entry-view.ts'
import { readPruned } from './read-pruned.ts'

const DEFAULT_LIMIT = 500
const MAX_LIMIT = 1_000

export const ReadAuditChainInput = Type.Object(
  {
    after: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Entries with a higher number; from the first if absent.' }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_LIMIT,
        description: `How many at most; ${DEFAULT_LIMIT} if absent.`,
      }),
    ),
  },
  { additionalProperties: false },
)

export const AuditChainPart = Type.Object({
  projectId: Type.String(),
  pruned: Type.Union([AuditCheckpoint, Type.Null()], {
    description: 'The signed record of what was removed: the chain begins after it. Null: nothing was.',
  }),
  entries: Type.Array(ChainedAuditEntry),
  checkpoints: Type.Array(AuditCheckpoint, { description: 'Those that speak for one of the entries.' }),
  nextAfter: Type.Union([Type.Integer(), Type.Null()], {
    description: 'What to ask for `after` next. Null: these were the last.',
  }),
})
export type AuditChainPart = Static<typeof AuditChainPart>

/** A part of the project's chain in its order, with all that it takes to check it elsewhere. */
export async function readAuditChain(scope: Scope, input: unknown = {}): Promise<AuditChainPart> {
  await authorizeRead(scope, 'audit:read')
  const { after = CHAIN_START.sequence, limit = DEFAULT_LIMIT } = parseInput(ReadAuditChainInput, input)
  const { reader, projectId } = scope
  const rows = await reader
    .selectFrom('audit')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('sequence', '>', after)
    .orderBy('sequence')
    .limit(limit)
    .execute()
  const last = rows.at(-1)?.sequence ?? after
  const checkpoints = await reader
    .selectFrom('audit_points')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('kind', '=', 'checkpoint')
    .where('sequence', '>', after)
    .where('sequence', '<=', last)
    .orderBy('sequence')
    .execute()
  const pruned = await readPruned(reader, projectId)
  return {
    projectId,
    pruned: pruned === undefined ? null : checkpointOf(pruned),
    entries: rows.map(chainedEntry),
    checkpoints: checkpoints.map(checkpointOf),
    nextAfter: rows.length < limit ? null : last,
  }
}
