import type { Principal, Refusal } from '../verdict.ts'
import type { KeyCredential } from './key-credential.ts'
import type { Parent } from './parent.ts'
import type { ProjectFacts } from './project-facts.ts'
import type { TokenCredential } from './token-credential.ts'
import type { Verifier } from './verifier.ts'
import { ANY_AUDIENCE } from './verify-request.ts'

/**
 * A credential that may pass now, with what a token inherits that is derived from it (rule R4); else the refusal.
 * Of whatever audience it is: whoever derives from it looks at that. One that is bound to addresses or to its sender
 * does not pass, for nobody here shows an address or a proof.
 */
export async function verifyParent(verifier: Verifier, credential: string): Promise<Parent | Refusal> {
  const verdict = await verifier.verify({ credential, require: { audience: ANY_AUDIENCE }, cost: 0 })
  if (!verdict.ok) return verdict
  const entry = await verifier.recognise(credential)
  return 'code' in entry ? entry : parentOf(entry, verdict, verifier.facts)
}

function parentOf(entry: KeyCredential | TokenCredential, principal: Principal, facts: ProjectFacts): Parent {
  const { expiresAtMs, secretUntilMs, acceptedUntilMs } = entry.state(facts)
  const endMs = Math.min(expiresAtMs, secretUntilMs, acceptedUntilMs)
  return {
    principal,
    grant: entry.grant,
    expiresAtMs: endMs === Number.POSITIVE_INFINITY ? null : endMs,
    ...(entry.kind === 'key' ? ofKey(entry, facts) : ofToken(entry)),
  }
}

type OfOneKind = Pick<Parent, 'issuedAtMs' | 'pos' | 'ids' | 'signingKeyId' | 'hasUntoldLimits'>

function ofKey({ id, record }: KeyCredential, facts: ProjectFacts): OfOneKind {
  const hasUntoldLimits = record.limits !== undefined && facts.clientLimits(id) === undefined
  return { issuedAtMs: record.createdAtMs, pos: null, ids: [], signingKeyId: null, hasUntoldLimits }
}

function ofToken({ id, parents, issuedAtMs, pos, signingKeyId }: TokenCredential): OfOneKind {
  return { issuedAtMs, pos, ids: [...parents, id], signingKeyId, hasUntoldLimits: false }
}
