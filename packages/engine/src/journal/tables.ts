import type { Schema } from '../storage/schema.ts'

/**
 * What a restore does with the rows of each table that the journal has. A new table must be named here, or nothing
 * compiles: whoever adds one has to say whether a row of it can take something away.
 *
 * `kept` stays as the backup has it: the feed, the audit and the counts are of the restored line of commits, and sessions
 * all end. `derived` is written by triggers alone, also while rows of other tables are replayed.
 */
const TABLES: Readonly<Record<keyof Schema, 'replayed' | 'kept' | 'derived'>> = {
  roles: 'replayed',
  subjects: 'replayed',
  audiences: 'replayed',
  keys: 'replayed',
  key_secrets: 'replayed',
  key_fills: 'derived',
  key_shapes: 'replayed',
  // Retired ones must stay known: none of them is imported again.
  signing_keys: 'replayed',
  signing_schedules: 'replayed',
  revocations: 'replayed',
  migrations: 'kept',
  installation: 'kept',
  projects: 'kept',
  epochs: 'kept',
  changes: 'kept',
  commands: 'kept',
  public_urls: 'kept',
  sessions: 'kept',
  refresh_tokens: 'kept',
  audit: 'kept',
  key_usage: 'kept',
  // No token outlives a restore.
  issuing_keys: 'kept',
  limit_counters: 'kept',
  // What a former run granted ends by time; after a restore the epoch says so (rule E3).
  grants: 'kept',
  usage: 'kept',
  usage_batches: 'kept',
  audit_points: 'kept',
  idempotency_keys: 'kept',
  tallies: 'derived',
  project_caps: 'kept',
}

export function isReplayed(table: string): boolean {
  return Object.hasOwn(TABLES, table) && TABLES[table as keyof Schema] === 'replayed'
}

/** Whether triggers write the table again when the rows are applied that it is made of: applied itself, it would collide. */
export function isDerived(table: string): boolean {
  return Object.hasOwn(TABLES, table) && TABLES[table as keyof Schema] === 'derived'
}
