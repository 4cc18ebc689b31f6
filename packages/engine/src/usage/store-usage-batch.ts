import type { Command } from '../commands/command.ts'
import type { ProjectUse } from './project-use.ts'
import { addUses } from './record-usage.ts'

interface StoreUsageBatchArgs {
  readonly projectId: string
  readonly batchId: string
  readonly uses: readonly ProjectUse[]
}

/** Who did not learn that a batch was counted asks again for less long. */
const KEPT_MS = 31 * 86_400_000
const FORGOTTEN_AT_ONCE = 100

/**
 * Counts what a verifier in another process has counted, once a batch: its id is stored in the same transaction. No
 * change (rule C6).
 */
export const storeUsageBatchCommand: Command<StoreUsageBatchArgs, { counted: boolean }> = async (
  { db, nowMs },
  { projectId, batchId, uses },
) => {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('usage_batches')
    .values({ project_id: projectId, batch_id: batchId, stored_at_ms: nowMs })
    .onConflict((conflict) => conflict.columns(['project_id', 'batch_id']).doNothing())
    .executeTakeFirstOrThrow()
  if (numInsertedOrUpdatedRows === 0n) return { counted: false }
  await addUses(db, uses, { projectId })
  const old = db
    .selectFrom('usage_batches')
    .select('batch_id')
    .where('project_id', '=', projectId)
    .where('stored_at_ms', '<', nowMs - KEPT_MS)
    .limit(FORGOTTEN_AT_ONCE)
  await db
    .deleteFrom('usage_batches')
    .where('project_id', '=', projectId)
    .where('batch_id', 'in', old)
    .execute()
  return { counted: true }
}
