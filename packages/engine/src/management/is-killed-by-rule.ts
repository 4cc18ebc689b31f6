import { parsePosition, type RevocationKind, RevocationRules } from '@claviger/verify'
import type { Kysely, Selectable } from 'kysely'
import type { KeyTable, Schema } from '../storage/schema.ts'

/**
 * Whether a revocation rule of the key's project kills it (rules V1, V4): the same decision as the verifier's,
 * from the rows of this transaction.
 */
export async function isKilledByRule(db: Kysely<Schema>, key: Selectable<KeyTable>): Promise<boolean> {
  const rows = await db
    .selectFrom('revocations')
    .selectAll()
    .where('project_id', '=', key.project_id)
    .where('issuer', '=', '')
    .where('lifted_at_ms', 'is', null)
    .where(({ and, eb, or }) =>
      or(targetsOf(key).map(([kind, target]) => and([eb('kind', '=', kind), eb('target', '=', target)]))),
    )
    .execute()
  if (rows.length === 0) return false
  const epochs = await db
    .selectFrom('epochs')
    .select('epoch')
    .where('project_id', '=', key.project_id)
    .execute()
  const pos = parsePosition(key.pos)
  if (pos === undefined) return true
  const rules = new RevocationRules(new Set(epochs.map(({ epoch }) => epoch)))
  for (const row of rows) {
    rules.add({
      id: row.id,
      kind: row.kind as RevocationKind,
      target: row.target,
      issuer: null,
      only: row.only as 'keys' | 'tokens' | null,
      ban: row.ban !== 0,
      position: { epoch: row.epoch, number: row.number },
      issuedBeforeMs: row.issued_before_ms,
      tokensUntilMs: row.tokens_until_ms,
    })
  }
  const identity = { id: key.id, subject: key.subject, pos, createdAtMs: key.created_at_ms }
  return rules.killerOfKey(identity) !== undefined
}

/** Whatever a rule that kills this key can aim at. */
function targetsOf(key: Selectable<KeyTable>): readonly (readonly [RevocationKind, string])[] {
  return [
    ['key', key.id],
    ['client', key.id],
    ['subject', key.subject],
    ['everything', ''],
  ]
}
