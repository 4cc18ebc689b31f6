import type { Command } from '../commands/command.ts'

interface CoverGrantsArgs {
  readonly bootId: string
  readonly untilMs: number
  /** How long the longest of them lasts. */
  readonly longestMs: number
  /** Those of former runs are over by the clock that nobody sets, too. */
  readonly areFormerOver: boolean
}

/**
 * Stores until when the leases of this run may last, before any is granted that lasts longer (rule L3). It is no change
 * (rule C6). Rows of former runs end by time alone, and go once they have.
 */
export const coverGrantsCommand: Command<CoverGrantsArgs, null> = async (
  { db, nowMs },
  { bootId, untilMs, longestMs, areFormerOver },
) => {
  await db
    .insertInto('grants')
    .values({ boot_id: bootId, until_ms: untilMs, longest_ms: longestMs })
    .onConflict((conflict) =>
      conflict.column('boot_id').doUpdateSet(({ fn, ref }) => ({
        until_ms: fn('max', [ref('grants.until_ms'), ref('excluded.until_ms')]),
        longest_ms: fn('max', [ref('grants.longest_ms'), ref('excluded.longest_ms')]),
      })),
    )
    .execute()
  if (!areFormerOver) return null
  await db.deleteFrom('grants').where('boot_id', '!=', bootId).where('until_ms', '<', nowMs).execute()
  return null
}
