import { parsePosition, RevocationRules } from '@claviger/verify'
import type { Kysely } from 'kysely'
import type { KeyRow } from '../keys/key.ts'
import { PreparedQuery } from '../storage/prepared-query.ts'
import type { Schema } from '../storage/schema.ts'
import { readRule } from './rule-row.ts'

/** Kinds of rule that may kill a key; together with the target they bound what is read by the index. */
export const KINDS_FOR_KEYS = ['key', 'client', 'subject', 'everything']

const rulesQuery = new PreparedQuery((db, parameter: (name: 'projectId' | 'id' | 'subject') => string) =>
  db
    .selectFrom('revocations')
    .selectAll()
    .where('project_id', '=', parameter('projectId'))
    .where('issuer', '=', '')
    .where('kind', 'in', KINDS_FOR_KEYS)
    .where('target', 'in', ['', parameter('id'), parameter('subject')])
    .where('lifted_at_ms', 'is', null),
)

/**
 * Whether a revocation rule kills the key (rules V1 to V4): decided as every verifier decides it, from the rows of this
 * transaction. A key's own revocation stands in its row too.
 */
export async function isKilled(db: Kysely<Schema>, key: KeyRow): Promise<boolean> {
  const { id, subject, project_id: projectId, created_at_ms: createdAtMs } = key
  const pos = parsePosition(key.pos)
  if (pos === undefined) return true
  // A key's position was taken in this database, so its epoch is one of the project's.
  const rules = new RevocationRules(new Set([pos.epoch]))
  for (const row of await rulesQuery.execute(db, { projectId, id, subject })) rules.add(readRule(row))
  return rules.killsKey({ id, subject, pos, createdAtMs })
}
