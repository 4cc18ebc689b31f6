import { formatPosition, type RevocationRule } from '@claviger/verify'
import Type, { type Static } from 'typebox'

/** What a revocation answers: who has applied it (rule V8). */
export const Receipt = Type.Object({
  id: Type.String({ description: "The rule's id." }),
  position: Type.String({ description: "The rule's place in the project's feed." }),
  effective: Type.Boolean({ description: 'True: no verifier answers ok any more for what was revoked.' }),
  verifiers: Type.Array(Type.String(), { description: 'Verifiers that have not applied it yet.' }),
})
export type Receipt = Static<typeof Receipt>

/**
 * The receipt of a rule that was committed. All verifiers are in the process of the writer, which tells them
 * before the command's call returns (rule F1): it is effective at once.
 */
export function receiptOf(rule: Pick<RevocationRule, 'id' | 'position'>): Receipt {
  return { id: rule.id, position: formatPosition(rule.position), effective: true, verifiers: [] }
}
