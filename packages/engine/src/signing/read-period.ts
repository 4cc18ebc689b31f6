import type { Kysely } from 'kysely'
import type { Schema } from '../storage/schema.ts'

const DAY_SECONDS = 86_400

/** How often signing keys are rotated in a project that has said nothing. */
export const DEFAULT_PERIOD_SECONDS = 90 * DAY_SECONDS

/** A key outlives the tokens of the one before it: so few are published at one time. */
export const MIN_PERIOD_SECONDS = DAY_SECONDS

export const MAX_PERIOD_SECONDS = 3650 * DAY_SECONDS

/** How often the project's signing keys are rotated; null: by hand alone. */
export async function readPeriod(db: Kysely<Schema>, projectId: string): Promise<number | null> {
  const row = await db
    .selectFrom('signing_schedules')
    .select('period_seconds')
    .where('project_id', '=', projectId)
    .executeTakeFirst()
  return row === undefined ? DEFAULT_PERIOD_SECONDS : row.period_seconds
}
