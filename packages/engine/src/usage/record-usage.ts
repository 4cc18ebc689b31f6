import type { KeyUse } from '@claviger/verify'
import type { Command } from '../commands/command.ts'

interface RecordUsageArgs {
  readonly uses: readonly KeyUse[]
}

/**
 * Adds to the statistics of keys. It is no change (rule C6): it takes no position, so no verifier is told and no other
 * command waits for the head, and it leaves no audit entry.
 */
export const recordUsageCommand: Command<RecordUsageArgs, null> = async ({ db }, { uses }) => {
  const rows = uses.map((use) => ({
    key_id: use.keyId,
    verifications: use.count,
    last_used_at_ms: use.lastUsedAtMs,
  }))
  await db
    .insertInto('key_usage')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('key_id').doUpdateSet((eb) => ({
        verifications: eb('key_usage.verifications', '+', eb.ref('excluded.verifications')),
        // Batches of several processes come in any order.
        last_used_at_ms: eb
          .case()
          .when('excluded.last_used_at_ms', '>', eb.ref('key_usage.last_used_at_ms'))
          .then(eb.ref('excluded.last_used_at_ms'))
          .else(eb.ref('key_usage.last_used_at_ms'))
          .end(),
      })),
    )
    .execute()
  return null
}
