import type { Kysely } from 'kysely'
import type { Schema } from '../storage/schema.ts'
import type { SignedPoint } from './signed-point.ts'

/** The record of the last pruning; the chain begins after it. Undefined: nothing was ever removed. */
export async function readPruned(db: Kysely<Schema>, projectId: string): Promise<SignedPoint | undefined> {
  return await db
    .selectFrom('audit_points')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('kind', '=', 'prune')
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
}
