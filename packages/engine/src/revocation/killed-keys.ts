import { parsePosition, RevocationRules } from '@claviger/verify'
import type { Kysely } from 'kysely'
import type { KeyRow } from '../keys/key.ts'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'
import type { Schema } from '../storage/schema.ts'
import { type RuleRow, readRule } from './rule-row.ts'

/** Kinds of rule that may kill a key; together with the target they bound what is read by the index. */
export const KINDS_FOR_KEYS = ['key', 'client', 'subject', 'everything']

const rulesOfOne = new PreparedQuery(
  (db, parameter: Parameter<{ projectId: string; id: string; subject: string }>) =>
    rulesQuery(db, { projectId: parameter('projectId'), targets: [parameter('id'), parameter('subject')] }),
)

/**
 * Whether a revocation rule kills the key (rules V1 to V4): decided as every verifier decides it, from the rows of this
 * transaction. A key's own revocation stands in its row too.
 */
export async function isKilled(db: Kysely<Schema>, key: KeyRow): Promise<boolean> {
  const { id, subject, project_id: projectId } = key
  return killedOf([key], await rulesOfOne.execute(db, { projectId, id, subject })).has(id)
}

/** Which of the keys, all of one project, are killed: the same, with one query. */
export async function findKilledKeys(
  db: Kysely<Schema>,
  keys: readonly KeyRow[],
): Promise<ReadonlySet<string>> {
  const [first] = keys
  if (first === undefined) return new Set()
  const targets = keys.flatMap(({ id, subject }) => [id, subject])
  return killedOf(keys, await rulesQuery(db, { projectId: first.project_id, targets }).execute())
}

/** The rules that aim at one of the targets, or at everything. */
function rulesQuery(
  db: Kysely<Schema>,
  { projectId, targets }: { readonly projectId: string; readonly targets: readonly string[] },
) {
  return db
    .selectFrom('revocations')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('issuer', '=', '')
    .where('kind', 'in', KINDS_FOR_KEYS)
    .where('target', 'in', ['', ...targets])
    .where('lifted_at_ms', 'is', null)
}

function killedOf(keys: readonly KeyRow[], rows: readonly RuleRow[]): ReadonlySet<string> {
  // Most keys meet no rule.
  if (rows.length === 0) return new Set(keys.filter(hasNoPosition).map(({ id }) => id))
  const killed = new Set<string>()
  const epochs = new Set<string>()
  const rules = new RevocationRules(epochs)
  for (const row of rows) rules.add(readRule(row))
  for (const { id, subject, pos: text, created_at_ms: createdAtMs } of keys) {
    const pos = parsePosition(text)
    // A key's position was taken in this database, so its epoch is one of the project's.
    if (pos !== undefined) epochs.add(pos.epoch)
    if (pos === undefined || rules.killsKey({ id, subject, pos, createdAtMs })) killed.add(id)
  }
  return killed
}

function hasNoPosition({ pos }: KeyRow): boolean {
  return parsePosition(pos) === undefined
}
