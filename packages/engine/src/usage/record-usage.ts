import { type RawBuilder, sql } from 'kysely'
import type { Command, CommandContext } from '../commands/command.ts'
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
  await addUses(db, uses)
  return null
}

/** Of uses that somebody else tells, only the project's own keys count as used. */
export async function addUses(
  db: CommandContext['db'],
  uses: readonly ProjectUse[],
  told?: { readonly projectId: string },
): Promise<void> {
  await countUsage(db, uses)
  const rows = lastUses(uses)
  const counted = told === undefined ? rows : await ownRows(db, rows, told.projectId)
  if (counted.length === 0) return
  await db
    .insertInto('key_usage')
    .values(counted)
    .onConflict((conflict) =>
      conflict.column('key_id').doUpdateSet((eb) => ({
        verifications: eb('key_usage.verifications', '+', eb.ref('excluded.verifications')),
        last_used_at_ms: later<number>('last_used_at_ms'),
        last_used_from: later<string | null>('last_used_from'),
      })),
    )
    .execute()
}

async function ownRows(
  db: CommandContext['db'],
  rows: readonly KeyUsageTable[],
  projectId: string,
): Promise<KeyUsageTable[]> {
  const ids = rows.map(({ key_id }) => key_id)
  const own = await db
    .selectFrom('keys')
    .select('id')
    .where('project_id', '=', projectId)
    .where('id', 'in', ids)
    .execute()
  const known = new Set(own.map(({ id }) => id))
  return rows.filter(({ key_id }) => known.has(key_id))
}

/** The column of whichever use is the later: batches of several processes come in any order. */
function later<Value>(column: 'last_used_at_ms' | 'last_used_from'): RawBuilder<Value> {
  return sql`case when excluded.last_used_at_ms >= key_usage.last_used_at_ms
    then ${sql.ref(`excluded.${column}`)} else ${sql.ref(`key_usage.${column}`)} end`
}

/** One row a key, of the uses that passed. */
function lastUses(uses: readonly ProjectUse[]): KeyUsageTable[] {
  const rows = new Map<string, KeyUsageTable>()
  for (const { kind, outcome, keyId, count, atMs, ip } of uses) {
    if (kind !== 'key' || outcome !== 'ok') continue
    const known = rows.get(keyId)
    const verifications = (known?.verifications ?? 0) + count
    const isLater = known === undefined || atMs >= known.last_used_at_ms
    const last = isLater ? { last_used_at_ms: atMs, last_used_from: ip === '' ? null : ip } : known
    rows.set(keyId, { ...last, key_id: keyId, verifications })
  }
  return [...rows.values()]
}
