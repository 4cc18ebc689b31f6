import Type, { type Static } from 'typebox'
import { CodedError } from '../coded-error.ts'
import type { Command, CommandContext } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { authorize } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import { formatTime, parseTime } from '../time.ts'
import type { ChainPoint } from './entry-mac.ts'
import { signPoint } from './signed-point.ts'

export const PruneAuditInput = Type.Object(
  {
    before: Type.String({
      format: 'date-time',
      maxLength: 64,
      description: 'Entries from before this time are removed. RFC 3339; it lies a day or more in the past.',
    }),
  },
  { additionalProperties: false },
)

export const PrunedAudit = Type.Object({
  removed: Type.Integer({ description: 'How many entries were removed.' }),
  prunedThrough: Type.Union([Type.Integer(), Type.Null()], {
    description: 'The last entry that was removed. Null: there was nothing to remove.',
  }),
})
export type PrunedAudit = Static<typeof PrunedAudit>

interface PruneArgs {
  readonly projectId: string
  readonly beforeMs: number
}

/** Whoever has found a key that may prune cannot remove what he does with it before anybody has looked. */
const MIN_AGE_MS = 86_400_000
/** Entries a command: few enough that no other command waits for long. */
const ENTRIES_A_COMMAND = 2_000

/**
 * Removes the project's entries from before a time, and leaves a signed record of the place up to which it did, from
 * which the chain can still be checked. Each step is itself audited.
 */
export async function pruneAudit(scope: Scope, input: unknown): Promise<PrunedAudit> {
  const { before } = parseInput(PruneAuditInput, input)
  const args: PruneArgs = { projectId: scope.projectId, beforeMs: parseTime(before, 'before') }
  let pruned: PrunedAudit = { removed: 0, prunedThrough: null }
  for (;;) {
    const step = await scope.writer.run('prune-audit', args, scope.actor)
    if (step.removed === 0) return pruned
    pruned = { removed: pruned.removed + step.removed, prunedThrough: step.prunedThrough }
  }
}

export const pruneAuditCommand: Command<PruneArgs, PrunedAudit> = async (
  context,
  { projectId, beforeMs },
) => {
  await authorize(context, projectId, 'audit:write')
  if (beforeMs > context.nowMs - MIN_AGE_MS) {
    throw new CodedError('invalid_request', '`before` must lie a day or more in the past.')
  }
  const last = await lastBefore(context, { projectId, beforeMs })
  if (last === undefined) return { removed: 0, prunedThrough: null }
  // Before the entries go: the chain is never without one, so it goes on where it was.
  await context.audit({
    projectId,
    action: 'audit.prune',
    target: projectId,
    detail: { before: formatTime(beforeMs), through: last.sequence },
  })
  const record = signPoint(context.auditChain.keys.signing, {
    project_id: projectId,
    kind: 'prune',
    ...last,
    at_ms: context.nowMs,
  })
  await context.db
    .deleteFrom('audit_points')
    .where('project_id', '=', projectId)
    .where('sequence', '<', last.sequence)
    .execute()
  await context.db.insertInto('audit_points').values(record).execute()
  const { numDeletedRows } = await context.db
    .deleteFrom('audit')
    .where('project_id', '=', projectId)
    .where('sequence', '<=', last.sequence)
    .executeTakeFirstOrThrow()
  return { removed: Number(numDeletedRows), prunedThrough: last.sequence }
}

/** The last of the entries that may go in this step: older ones alone, from the chain's beginning on. */
async function lastBefore(
  { db }: CommandContext,
  { projectId, beforeMs }: PruneArgs,
): Promise<ChainPoint | undefined> {
  const rows = await db
    .selectFrom('audit')
    .select(['sequence', 'mac', 'at_ms'])
    .where('project_id', '=', projectId)
    .orderBy('sequence')
    .limit(ENTRIES_A_COMMAND)
    .execute()
  const kept = rows.findIndex(({ at_ms: atMs }) => atMs >= beforeMs)
  const last = rows.at((kept === -1 ? rows.length : kept) - 1)
  return kept === 0 || last === undefined ? undefined : { sequence: last.sequence, mac: last.mac }
}
