import type { Command } from '../commands/command.ts'
import { keptMs, RESOLUTION_NAMES } from './resolutions.ts'

interface PruneUsageArgs {
  /** How long the counts of a day are kept. */
  readonly days: number
}

/** Drops the oldest span of each resolution that is kept no longer. No change (rule C6). */
export const pruneUsageCommand: Command<PruneUsageArgs, { more: boolean }> = async (
  { db, nowMs },
  { days },
) => {
  let more = false
  for (const resolution of RESOLUTION_NAMES) {
    const oldest = await db
      .selectFrom('usage')
      .select('start_ms')
      .where('resolution', '=', resolution)
      .orderBy('start_ms')
      .limit(1)
      .executeTakeFirst()
    if (oldest === undefined || oldest.start_ms >= nowMs - keptMs(resolution, days)) continue
    // A span at a time, so that no other command waits for long.
    await db
      .deleteFrom('usage')
      .where('resolution', '=', resolution)
      .where('start_ms', '=', oldest.start_ms)
      .execute()
    more = true
  }
  return { more }
}
