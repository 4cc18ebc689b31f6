import type { Kysely } from 'kysely'
import type { Schema } from '../storage/schema.ts'

/**
 * How many keys one page looks at. Reads run on the thread that verifies: a filter that nearly no key meets must not
 * make it walk through a million rows (these take 2 to 8 ms).
 */
const KEYS_A_SCAN = 1_000

export interface ScanPlace {
  readonly projectId: string
  readonly subject: string | undefined
  /** The id after which the scan begins; undefined: at the first key. */
  readonly after: string | undefined
}

/**
 * The id of the last key that a page may look at; undefined when the rest of the keys is not more than that. It is read
 * from an index alone, deleted keys among the others.
 */
export async function findScanEnd(db: Kysely<Schema>, place: ScanPlace): Promise<string | undefined> {
  let query = db
    .selectFrom('keys')
    .select('id')
    .where('project_id', '=', place.projectId)
    .orderBy('id')
    .offset(KEYS_A_SCAN - 1)
    .limit(1)
  if (place.subject !== undefined) query = query.where('subject', '=', place.subject)
  if (place.after !== undefined) query = query.where('id', '>', place.after)
  return (await query.executeTakeFirst())?.id
}
