import type { Principal } from '../verdict.ts'
import type { LiveRights } from './rights.ts'

/**
 * How a credential stands by the facts, apart from the request and the hour. It is worked out once per
 * credential and version of the facts, and holds until either changes.
 */
export interface Standing {
  readonly principal: Principal
  readonly rights: LiveRights
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
  /**
   * Nothing is wrong from the first of these seconds since 1970 until before the last: the usual case costs two
   * comparisons of small integers. Outside of them the precise times above decide.
   */
  readonly soundFromSeconds: number
  readonly soundUntilSeconds: number
}

const LAST_SECOND = 2 ** 31 - 1

export function makeStanding(facts: Omit<Standing, 'soundFromSeconds' | 'soundUntilSeconds'>): Standing {
  const sound = !facts.revoked && !facts.disabled && !facts.proofRequired
  const untilMs = Math.min(facts.acceptedUntilMs, facts.secretUntilMs, facts.expiresAtMs)
  // Member by member: a spread would cost more than all the rest.
  return {
    principal: facts.principal,
    rights: facts.rights,
    revoked: facts.revoked,
    disabled: facts.disabled,
    acceptedUntilMs: facts.acceptedUntilMs,
    secretUntilMs: facts.secretUntilMs,
    expiresAtMs: facts.expiresAtMs,
    notBeforeMs: facts.notBeforeMs,
    proofRequired: facts.proofRequired,
    soundFromSeconds: Math.max(0, Math.min(Math.ceil(facts.notBeforeMs / 1000), LAST_SECOND)),
    soundUntilSeconds: sound ? Math.max(0, Math.min(Math.floor(untilMs / 1000), LAST_SECOND)) : 0,
  }
}
