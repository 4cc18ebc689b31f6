import type { Position } from '@claviger/verify'

/** What a token says and whence: worked out from the caller's grants, or inherited from a parent or a session. */
export interface TokenBasis {
  readonly subject: string
  /** One or more, none twice. */
  readonly audiences: readonly string[]
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  /** Null: nothing narrows. */
  readonly scopes: readonly string[] | null
  readonly clientId: string
  /** Null: of no session. */
  readonly sessionId: string | null
  /** What it was derived from (claims.ts of the verifier says how that is written). */
  readonly parents: readonly string[]
  /** Null: a parent that had none. */
  readonly pos: Position | null
  /** Seconds since 1970 at which it ends at the latest; infinite: its life alone bounds it. */
  readonly notAfterSeconds: number
  /** Custom claims that neither the call nor a default changes. */
  readonly claims: Readonly<Record<string, unknown>>
}
