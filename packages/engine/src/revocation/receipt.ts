import { formatPosition, type RevocationRule } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { JWKS_MAX_AGE_SECONDS } from '../signing/publication.ts'
import { formatTime, formatTimeOrNull, Time } from '../time.ts'
import { type RuleRow, SIGNING_KEY_KIND } from './rule-row.ts'

/** What a revocation answers: who has applied it (rule V8). */
export const Receipt = Type.Object({
  id: Type.String({ description: "The rule's id." }),
  position: Type.String({ description: "The rule's place in the project's feed." }),
  effective: Type.Boolean({ description: 'True: no verifier answers ok any more for what was revoked.' }),
  verifiers: Type.Array(Type.String(), {
    description:
      'Who may still answer from before it: verifiers by their names, or what a lease was granted by.',
  }),
  signingKey: Type.Optional(
    Type.Object(
      {
        id: Type.String({ description: 'Its `kid`.' }),
        tokensUntil: Type.Union([Time, Type.Null()], {
          description:
            'Every token that it signed is refused; this is when the last of them would have expired. Null: none was alive.',
        }),
        jwksUntil: Type.String({
          ...Time,
          description:
            'Programs that verify with the JWKS alone may go on accepting them until then: that is when the last cached copy with the key ends.',
        }),
      },
      { description: 'Of a signing key: what died with it, and who learns it later.' },
    ),
  ),
})
export type Receipt = Static<typeof Receipt>

/**
 * The receipt of a rule that was committed, as its command knows it. This process's own verifiers are told before the
 * command's call returns (rule F1); what of those in other processes, with-reach.ts says.
 */
export function receiptOf(rule: Pick<RevocationRule, 'id' | 'position'>): Receipt {
  return { id: rule.id, position: formatPosition(rule.position), effective: true, verifiers: [] }
}

/** The receipt of a revocation as its row says it. */
export function receiptOfRow(row: RuleRow): Receipt {
  const receipt = receiptOf({ id: row.id, position: { epoch: row.epoch, number: row.number } })
  if (row.kind !== SIGNING_KEY_KIND) return receipt
  const signingKey = {
    id: row.target,
    tokensUntil: formatTimeOrNull(row.tokens_until_ms),
    jwksUntil: formatTime(row.created_at_ms + JWKS_MAX_AGE_SECONDS * 1000),
  }
  return { ...receipt, signingKey }
}
