import type { Principal } from '../verdict.ts'

/**
 * How a credential stands by the facts, apart from the request and the hour. It is worked out once per
 * credential and version of the facts, and holds until either changes.
 */
export interface Standing {
  readonly principal: Principal
  readonly revoked: boolean
  readonly disabled: boolean
  /** Tokens: when their issuer or signing key ceases to be accepted. Epoch milliseconds; infinite: never. */
  readonly acceptedUntilMs: number
  /** Keys: the end of a superseded secret's overlap; infinite for the current secret. */
  readonly secretUntilMs: number
  readonly expiresAtMs: number
  readonly notBeforeMs: number
  /** No fault while `goodFromMs <= now < goodUntilMs`; an empty interval when something else is wrong. */
  readonly goodFromMs: number
  readonly goodUntilMs: number
}

/** Adds the interval in which nothing is wrong, so that the usual case costs two comparisons. */
export function makeStanding(facts: Omit<Standing, 'goodFromMs' | 'goodUntilMs'>): Standing {
  const sound = !facts.revoked && !facts.disabled
  return {
    ...facts,
    goodFromMs: facts.notBeforeMs,
    goodUntilMs: sound
      ? Math.min(facts.acceptedUntilMs, facts.secretUntilMs, facts.expiresAtMs)
      : Number.NEGATIVE_INFINITY,
  }
}
