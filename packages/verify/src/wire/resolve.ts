import type { KeyFill } from '../source/source.ts'

/** The body of `POST /v1/resolve`: 1 to 100 digests (SHA-256 of a key's text, base64url). */
export interface ResolveRequest {
  readonly digests: readonly string[]
}

export interface ResolveAnswer {
  /** In the order of the digests. */
  readonly fills: readonly KeyFill[]
}
