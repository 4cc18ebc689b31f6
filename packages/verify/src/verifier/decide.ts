import type { PermissionQuery } from '../access/permission-query.ts'
import { refuse, type Verdict, type VerdictCode } from '../verdict.ts'
import type { CredentialEntry } from './credential-entry.ts'
import type { ProjectFacts } from './project-facts.ts'
import type { CredentialState } from './standing.ts'
import { ANY_AUDIENCE } from './verify-request.ts'

export interface Requirements {
  /** Undefined: none was stated, which no token meets. */
  readonly audience: string | readonly string[] | undefined
  readonly query: PermissionQuery | undefined
  readonly ip: string | undefined
  /** What the call spends of every limit. */
  readonly cost: number
}

const DETAILS: Partial<Record<VerdictCode, string>> = {
  unknown: 'The issuer or the signing key of this token is not accepted any more. Fetch a new token.',
  wrong_audience:
    'The token was issued for another audience. Ask its issuer for one whose `aud` names this service.',
  revoked: 'The credential was revoked. Ask for a new one.',
  rotated_out: 'The key was rotated, and its former secret works no more. Use the new one.',
  disabled: 'The credential, its subject or its client is disabled. Ask whoever manages it to enable it.',
  expired: 'The credential has expired. Ask for a new one.',
  not_yet_valid: 'The credential is not valid yet. Wait until its `not before` time.',
  proof_required: 'The token is bound to its sender, and this verifier takes no proof of that yet.',
  ip_denied: 'The credential may not be used from this address.',
  insufficient_permissions: 'The credential lacks the permissions that this call needs.',
}

const SUSPENDED =
  'The credential is suspended: Claviger was restored from a backup that does not know whether it was revoked since. Ask its operator.'
const NO_AUDIENCE =
  'The verifier states no audience. Give `require.audience`, or `any` to accept tokens of every audience.'
const NO_ADDRESS =
  'The credential is bound to addresses, and the caller’s is not known. Pass the end client’s address as `context.ip`.'

/**
 * Decides on a recognised credential: a pure function of the facts, the requirements and the time. The first
 * failure in the order of the verdict table is the answer.
 */
export function decide(
  entry: CredentialEntry,
  facts: ProjectFacts,
  required: Requirements,
  nowMs: number,
): Verdict {
  const standing = entry.standing(facts)
  const second = Math.floor(nowMs / 1000)
  const sound = second >= standing.soundFromSeconds && second < standing.soundUntilSeconds
  const state = sound ? undefined : entry.state(facts)
  if (state !== undefined && !(nowMs < state.acceptedUntilMs)) return refusal(entry, 'unknown')
  const { audience } = entry
  if (audience !== null && required.audience !== ANY_AUDIENCE) {
    if (required.audience === undefined) return refusal(entry, 'wrong_audience', NO_AUDIENCE)
    if (!meetsAudience(audience, required.audience)) return refusal(entry, 'wrong_audience')
  }
  const fault = state === undefined ? undefined : stateOrTimeFault(state, nowMs)
  if (fault === 'disabled' && entry.suspended) return refusal(entry, fault, SUSPENDED)
  if (fault !== undefined) return refusal(entry, fault)
  if (entry.ipAllow !== null) {
    if (required.ip === undefined) return refusal(entry, 'ip_denied', NO_ADDRESS)
    if (!entry.ipAllow.allows(required.ip)) return refusal(entry, 'ip_denied')
  }
  if (required.query !== undefined && !standing.rights.satisfy(required.query)) {
    return refusal(entry, 'insufficient_permissions')
  }
  return standing.principal
}

/** What is wrong with a credential by its state or the hour. A clock that is no number refuses too. */
function stateOrTimeFault(state: CredentialState, nowMs: number): VerdictCode | undefined {
  if (state.revoked) return 'revoked'
  if (!(nowMs < state.secretUntilMs)) return 'rotated_out'
  if (state.disabled) return 'disabled'
  if (!(nowMs < state.expiresAtMs)) return 'expired'
  if (!(nowMs >= state.notBeforeMs)) return 'not_yet_valid'
  return state.proofRequired ? 'proof_required' : undefined
}

function meetsAudience(audience: readonly string[], required: string | readonly string[]): boolean {
  return typeof required === 'string'
    ? audience.includes(required)
    : required.some((accepted) => audience.includes(accepted))
}

function refusal(entry: CredentialEntry, code: VerdictCode, detail?: string): Verdict {
  return refuse(code, detail ?? DETAILS[code] ?? code, entry)
}
