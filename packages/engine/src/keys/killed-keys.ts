import { parsePosition, RevocationRules } from '@claviger/verify'
import type { Kysely } from 'kysely'
import { KINDS_FOR_KEYS } from '../revocation/is-killed.ts'
import { readRule } from '../revocation/rule-row.ts'
import type { Schema } from '../storage/schema.ts'
import type { KeyRow } from './key.ts'

/**
 * Which of the keys, all of one project, are killed by a revocation rule (rules V1, V4): the same decision as
 * the verifier's, from the rows of this transaction. A key's own revocation stands in its row.
 */
export async function findKilledKeys(
  db: Kysely<Schema>,
  keys: readonly KeyRow[],
): Promise<ReadonlySet<string>> {
  const [first] = keys
  if (first === undefined) return new Set()
  const rules = await loadRules(db, first.project_id, keys)
  const killed = keys.filter((key) => {
    const pos = parsePosition(key.pos)
    const { id, subject, created_at_ms: createdAtMs } = key
    return pos === undefined || rules.killsKey({ id, subject, pos, createdAtMs })
  })
  return new Set(killed.map(({ id }) => id))
}

/** The rules of the project that aim at one of the keys, or at everything. */
async function loadRules(
  db: Kysely<Schema>,
  projectId: string,
  keys: readonly KeyRow[],
): Promise<RevocationRules> {
  const ids = keys.map(({ id }) => id)
  const subjects = keys.map(({ subject }) => subject)
  const rows = await db
    .selectFrom('revocations')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('issuer', '=', '')
    // Bounded by the index in both columns: a project may have ten thousand rules.
    .where('kind', 'in', KINDS_FOR_KEYS)
    .where('target', 'in', ['', ...ids, ...subjects])
    .where('lifted_at_ms', 'is', null)
    .execute()
  const epochs = await db.selectFrom('epochs').select('epoch').where('project_id', '=', projectId).execute()
  const rules = new RevocationRules(new Set(epochs.map(({ epoch }) => epoch)))
  for (const row of rows) rules.add(readRule(row))
  return rules
}
