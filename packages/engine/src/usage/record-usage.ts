import type { Command } from '../commands/command.ts'
import type { KeyUsageTable } from '../storage/schema.ts'
import { countUsage } from './count-usage.ts'
import type { ProjectUse } from './project-use.ts'

interface RecordUsageArgs {
  readonly uses: readonly ProjectUse[]
}

/**
 * Adds to the counts of usage, and to the last use of keys. It is no change (rule C6): it takes no position, so no verifier is told and no other
 * command waits for the head, and it leaves no audit entry.
 */
export const recordUsageCommand: Command<RecordUsageArgs, null> = async ({ db }, { uses }) => {
  await countUsage(db, uses)
  const rows = lastUses(uses)
  if (rows.length === 0) return null
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

/** One row a key, of the uses that passed. */
function lastUses(uses: readonly ProjectUse[]): KeyUsageTable[] {
  const rows = new Map<string, KeyUsageTable>()
  for (const { kind, outcome, keyId, count, atMs } of uses) {
    if (kind !== 'key' || outcome !== 'ok') continue
    const known = rows.get(keyId)
    rows.set(keyId, {
      key_id: keyId,
      verifications: (known?.verifications ?? 0) + count,
      last_used_at_ms: Math.max(known?.last_used_at_ms ?? 0, atMs),
    })
  }
  return [...rows.values()]
}
