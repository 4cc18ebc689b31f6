import type { Command } from '../commands/command.ts'
import { MANAGEMENT_PROJECT } from '../scope.ts'
import { formatTime } from '../time.ts'

/** Refused calls that one entry stands for. */
export interface Refusals {
  /** The management key that was recognised; null: none was presented, or one that nobody knows. */
  readonly keyId: string | null
  /** What they met: a code of a verdict or of an error, or `foreign_project`. */
  readonly reason: string
  /** Method and route's pattern; null: of several. */
  readonly call: string | null
  /** Null: several, or not known. */
  readonly address: string | null
  readonly requestId: string | null
  readonly count: number
  readonly firstMs: number
  readonly lastMs: number
}

interface RecordRefusalsArgs {
  readonly refusals: readonly Refusals[]
}

/**
 * Writes down calls to the management API that were refused: in the project that the key is bound to, and else in that of
 * the management keys. It changes nothing, and so takes no position. Answers the
 * projects that have new entries.
 */
export const recordRefusalsCommand: Command<RecordRefusalsArgs, readonly string[]> = async (
  context,
  { refusals },
) => {
  const projectIds = new Set<string>()
  for (const { keyId, reason, call, address, requestId, count, firstMs, lastMs } of refusals) {
    const key =
      keyId === null
        ? undefined
        : await context.db
            .selectFrom('keys')
            .select('managed_project_id')
            .where('id', '=', keyId)
            .where('project_id', '=', MANAGEMENT_PROJECT)
            .executeTakeFirst()
    const projectId = key?.managed_project_id ?? MANAGEMENT_PROJECT
    projectIds.add(projectId)
    await context.audit({
      projectId,
      action: 'call.refuse',
      target: call ?? '/v1',
      outcome: 'refused',
      caller: {
        name: keyId ?? 'anonymous',
        ...(address === null ? {} : { address }),
        ...(requestId === null ? {} : { requestId }),
      },
      detail: { reason, count, firstAt: formatTime(firstMs), lastAt: formatTime(lastMs) },
    })
  }
  return [...projectIds]
}
