/** What a verifier is asked; the body of `POST /v1/verify` has the same shape. */
export interface VerifyRequest {
  /** The text that the caller presented: an API key or a token. */
  readonly credential: string
  readonly require?: {
    /** A permission query (rule R1): `documents:read and (billing:* or admin:all)`. */
    readonly permissions?: string
    /** Tokens: one of these must be among the token's audiences. `any` skips the check. */
    readonly audience?: string | readonly string[]
  }
  readonly context?: {
    /** The end client's address: what a key's IP list is held against. */
    readonly ip?: string
  }
  /** What the use is counted under besides: at most 20, each 1 to 64 of `A-Za-z0-9_.:/@=+-`. */
  readonly tags?: readonly string[]
  /** What the call spends of every limit: a non-negative integer (default 1). 0 looks without spending. */
  readonly cost?: number
}

/** Written out to accept tokens of any audience (RFC 9068 section 4 wants one to be checked). */
export const ANY_AUDIENCE = 'any'
