import type { Command } from '../commands/command.ts'

interface CoverGrantsArgs {
  readonly bootId: string
  readonly untilMs: number
}

/**
 * Stores until when the leases of this run may last, before any is granted that lasts longer (rule L3). It is no change
 * (rule C6). Rows of former runs end by time alone, and go once they have.
 */
export const coverGrantsCommand: Command<CoverGrantsArgs, null> = async (
  { db, nowMs },
  { bootId, untilMs },
) => {
  await db
    .insertInto('grants')
    .values({ boot_id: bootId, until_ms: untilMs })
    .onConflict((conflict) =>
      conflict.column('boot_id').doUpdateSet({ until_ms: untilMs }).where('grants.until_ms', '<', untilMs),
    )
    .execute()
  await db.deleteFrom('grants').where('boot_id', '!=', bootId).where('until_ms', '<', nowMs).execute()
  return null
}
