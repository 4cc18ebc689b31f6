import type { Command } from '../commands/command.ts'

const DAY_MS = 86_400_000
/** Few enough that no other command waits for long. */
const COUNTERS_AT_ONCE = 100
const IDENTITY = ['project_id', 'holder_kind', 'holder', 'name', 'period'] as const

/**
 * Forgets what was counted in periods that ended more than a day ago: a spend now would begin another period, with the
 * row or without it. The day is for a clock that was ahead. A quota without refill is kept for ever. No change (rule C6).
 */
export const pruneLimitCountersCommand: Command<null, { more: boolean }> = async ({ db, nowMs }) => {
  const over = db
    .selectFrom('limit_counters')
    .select(IDENTITY)
    .where('ends_at_ms', '<', nowMs - DAY_MS)
    .orderBy('ends_at_ms')
    .limit(COUNTERS_AT_ONCE)
  const { numDeletedRows } = await db
    .deleteFrom('limit_counters')
    .where(({ eb, refTuple }) => eb(refTuple(...IDENTITY), 'in', over.$asTuple(...IDENTITY)))
    .executeTakeFirstOrThrow()
  return { more: numDeletedRows === BigInt(COUNTERS_AT_ONCE) }
}
