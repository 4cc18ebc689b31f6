import { sql } from 'kysely'
import type { Migration } from './migration.ts'

/** What is over is found by its end, and a session's refresh tokens by their session, so that both can be forgotten. */
export const ends: Migration = {
  number: 17,
  name: 'ends',
  async up(db, { integer }) {
    await db.schema.alterTable('limit_counters').addColumn('ends_at_ms', integer).execute()
    // Never too early: a month counts 31 days here. The next reservation of the counter writes the very end.
    await sql`UPDATE limit_counters SET ends_at_ms = CASE period
      WHEN 'never' THEN NULL
      WHEN 'hourly' THEN start_ms + 3600000
      WHEN 'daily' THEN start_ms + 86400000
      WHEN 'monthly' THEN start_ms + 31 * 86400000
      ELSE start_ms + CAST(period AS integer) * 1000 END`.execute(db)
    await db.schema
      .createIndex('limit_counters_by_end')
      .on('limit_counters')
      .column('ends_at_ms')
      .where('ends_at_ms', 'is not', null)
      .execute()
    await db.schema.createIndex('sessions_by_end').on('sessions').column('refresh_until_ms').execute()
    await db.schema
      .createIndex('refresh_tokens_by_session')
      .on('refresh_tokens')
      .columns(['session_id', 'generation'])
      .execute()
  },
}
