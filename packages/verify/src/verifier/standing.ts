import type { Principal } from '../verdict.ts'
import type { LiveRights } from './live-rights.ts'

/** All that may stand against a credential by the facts, apart from the request. */
export interface CredentialState {
  readonly revoked: boolean
  readonly disabled: boolean
  /** Tokens: when their issuer or signing key ceases to be accepted. Epoch milliseconds; infinite: never. */
  readonly acceptedUntilMs: number
  /** Keys: the end of a superseded secret's overlap; infinite for the current secret. */
  readonly secretUntilMs: number
  readonly expiresAtMs: number
  readonly notBeforeMs: number
  /** Tokens: bound to a sender (RFC 7800), who must prove it. */
  readonly proofRequired: boolean
}

/**
 * What is kept of a credential for its next verifications. It is worked out once per version of the facts, and
 * small: what is kept of each credential is what the garbage collector has to move.
 */
export interface Standing {
  /** The version of the facts it was worked out from. */
  readonly version: number
  readonly principal: Principal
  readonly rights: LiveRights
  /**
   * Nothing is wrong from the first of these seconds since 1970 until before the last: the usual case costs two
   * comparisons of small integers. Outside of them the {@link CredentialState} decides, worked out anew.
   */
  readonly soundFromSeconds: number
  readonly soundUntilSeconds: number
}

const LAST_SECOND = 2 ** 31 - 1

/** The first whole second in which nothing is wrong, provided that {@link soundUntilSeconds} is later. */
export function soundFromSeconds(state: CredentialState): number {
  return toSecond(Math.ceil(state.notBeforeMs / 1000))
}

/** The first second in which something is wrong, or will become so before its end. */
export function soundUntilSeconds(state: CredentialState): number {
  if (state.revoked || state.disabled || state.proofRequired) return 0
  return toSecond(Math.floor(Math.min(state.acceptedUntilMs, state.secretUntilMs, state.expiresAtMs) / 1000))
}

function toSecond(seconds: number): number {
  return Math.max(0, Math.min(seconds, LAST_SECOND))
}
