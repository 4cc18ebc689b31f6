import type { Position } from '../changes/position.ts'
import type { Principal } from '../verdict.ts'
import type { GrantedRights } from './live-rights.ts'

/** A credential that passed, and what a token inherits that is derived from it (rule R4). */
export interface Parent {
  readonly principal: Principal
  /** As it was granted; what counts of it now stands in the principal. */
  readonly grant: GrantedRights
  /** Epoch milliseconds; a superseded key's text ends with its overlap. Null: never. */
  readonly expiresAtMs: number | null
  /** When the first of the line was issued, or the key created: a rule for what is older than a time goes by it (rule V3). */
  readonly issuedAtMs: number
  /** A token's own `pos`, which what is derived inherits (rule V2). Null: a key, or a token without one. */
  readonly pos: Position | null
  /** A token's id and those of its own parents. A key is named as the client instead. */
  readonly ids: readonly string[]
  /** What signed a token; null: a key. */
  readonly signingKeyId: string | null
  /** A key's own limits that verifiers know by its text alone: they are to be told before a token of it is signed (rule V5). */
  readonly hasUntoldLimits: boolean
}

/** Stands before the id of a signing key in the claim `parents`. */
export const SIGNING_KEY_MARK = 'kid:'

/** Stands before the second since 1970 in which the first of the line was issued, in the same claim. */
export const ISSUED_AT_MARK = 'iat:'
