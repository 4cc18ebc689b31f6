import { sql } from 'kysely'
import type { Migration } from './migration.ts'

/** Every opening of a verifier asks which keys are disabled: few of many, so an index of those alone. */
export const disabledKeys: Migration = {
  number: 13,
  name: 'disabled-keys',
  async up(db) {
    await sql`CREATE INDEX keys_disabled ON keys (project_id, changed_at_ms) WHERE disabled = 1`.execute(db)
  },
}
