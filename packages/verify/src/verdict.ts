import type { LimitFigure } from './limits/limit-keeper.ts'

/**
 * The verdict: what a verifier answers. It is data, never an exception.
 *
 * The order of {@link VERDICT_CODES} is the order of precedence: of all that is wrong with a credential,
 * the code that stands first is the answer.
 */

/** Every way to fail, in order of precedence, with the HTTP status that says the same. */
export const VERDICT_CODES = {
  malformed: 401,
  unknown: 401,
  bad_signature: 401,
  wrong_audience: 401,
  revoked: 401,
  rotated_out: 401,
  disabled: 401,
  expired: 401,
  not_yet_valid: 401,
  proof_required: 401,
  bad_proof: 401,
  ip_denied: 403,
  insufficient_permissions: 403,
  rate_limited: 429,
  quota_exceeded: 429,
  unavailable: 503,
} as const

export type VerdictCode = keyof typeof VERDICT_CODES
export type VerdictStatus = (typeof VERDICT_CODES)[VerdictCode]

/** A credential that may pass, and whom it speaks for. Frozen: the same object may answer many calls. */
export interface Principal {
  readonly ok: true
  readonly kind: 'key' | 'token'
  /** The key's id, or the token's `jti`. */
  readonly id: string
  /** The project's name. */
  readonly project: string
  readonly subject: string
  /** Tokens: `iss`. */
  readonly issuer?: string
  /** Tokens: `aud`, as the list it stands for. */
  readonly audience?: readonly string[]
  /** Tokens: `client_id` (RFC 9068, section 2.2). */
  readonly clientId?: string
  /** Tokens of a session: `sid`. */
  readonly sessionId?: string
  /** Names of the roles that count now: known to the project and not cut off by the subject's record. */
  readonly roles: readonly string[]
  /** Effective permissions (rule R2), sorted, none covered by another. */
  readonly permissions: readonly string[]
  /** Absent: nothing narrows. */
  readonly scopes?: readonly string[]
  /** Tokens: the claims that Claviger gives no meaning to. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** RFC 3339, UTC; null: never (keys only). */
  readonly expiresAt: string | null
  /** The subject record's metadata, overlaid by the key's own. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** What is left of the limits of the key and of its subject after this call; absent: there are none. */
  readonly limits?: readonly LimitFigure[]
  /** Management keys only: the id of the project it is bound to (null: root), its verbs and grants (rule M1). */
  readonly management?: {
    readonly project: string | null
    readonly verbs: readonly string[]
    readonly grants: readonly string[]
  }
}

/** A credential that may not pass, and the first reason why. */
export interface Refusal {
  readonly ok: false
  readonly code: VerdictCode
  /** One sentence for a person: what was wrong and what to do. Never holds a secret. */
  readonly detail: string
  readonly status: VerdictStatus
  /** Given once the credential was recognised as the project's own. */
  readonly kind?: 'key' | 'token'
  readonly id?: string
  /** `rate_limited` and `quota_exceeded`: all limits, of which none was spent (rule Q1). */
  readonly limits?: readonly LimitFigure[]
  /** `rate_limited` and `quota_exceeded`: after which the same call can pass; null: waiting does not help. */
  readonly retryAfterSeconds?: number | null
}

export type Verdict = Principal | Refusal

/** Builds a {@link Refusal}; the status follows from the code. */
export function refuse(
  code: VerdictCode,
  detail: string,
  who?: { kind: 'key' | 'token'; id: string },
): Refusal {
  const refusal = { ok: false, code, detail, status: VERDICT_CODES[code] } as const
  return Object.freeze(who === undefined ? refusal : { ...refusal, kind: who.kind, id: who.id })
}
