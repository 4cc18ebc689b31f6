import type { Command } from '../commands/command.ts'

const DAY_MS = 86_400_000
/** Few enough that no other command waits for long. */
const COUNTERS_AT_ONCE = 500

/**
 * Forgets what was counted in periods that ended more than a day ago: a spend now would begin another period, with the
 * row or without it. The day is for a clock that was ahead. A quota without refill is kept for ever. No change (rule C6).
 */
export const pruneLimitCountersCommand: Command<null, { more: boolean }> = async ({ db, nowMs }) => {
  const over = await db
    .selectFrom('limit_counters')
    .select(['project_id', 'holder_kind', 'holder', 'name', 'period'])
    .where('ends_at_ms', '<', nowMs - DAY_MS)
    .orderBy('ends_at_ms')
    .limit(COUNTERS_AT_ONCE)
    .execute()
  for (const identity of over) {
    await db
      .deleteFrom('limit_counters')
      .where((eb) => eb.and(identity))
      .execute()
  }
  return { more: over.length === COUNTERS_AT_ONCE }
}
