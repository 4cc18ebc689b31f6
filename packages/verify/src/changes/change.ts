import type { VerificationKeyHandle } from '../crypto.ts'
import type { KeyShape } from '../keys/key-shape.ts'
import type { Limits } from '../limits/limits.ts'
import type { SigningAlgorithm } from '../tokens/algorithms.ts'
import type { Position } from './position.ts'

/** A set of named permissions. Null: the role was deleted, and its name is never used again (rule R5). */
export interface RoleFact {
  readonly type: 'role'
  readonly name: string
  readonly permissions: readonly string[] | null
}

/** What bounds or describes a subject (rule R6). */
export interface SubjectRecord {
  /** Absent lists do not bound; an empty list permits nothing. */
  readonly roles?: readonly string[]
  readonly permissions?: readonly string[]
  readonly disabled: boolean
  readonly metadata: Readonly<Record<string, unknown>>
  /** Absent: none. They count for every credential of the subject together (rule Q1). */
  readonly limits?: Limits
}

export interface SubjectFact {
  readonly type: 'subject'
  /** Null: the project's own issuers; else the foreign issuer whose subject this is. */
  readonly issuer: string | null
  readonly subject: string
  readonly record: SubjectRecord | null
}

/** A client (or a key that acts as one) whose tokens are suspended or counted, or are so no more (rule V5). */
export interface ClientFact {
  readonly type: 'client'
  readonly id: string
  readonly disabled: boolean
  /** Absent: none. A key's own, which its tokens are counted with. */
  readonly limits?: Limits
}

/** A key was created or changed: whatever is cached under these digests is void. */
export interface KeyFact {
  readonly type: 'key'
  readonly id: string
  /** SHA-256 of each of the key's secrets, base64url. */
  readonly digests: readonly string[]
}

/** Keys were imported: what was no key before may be one now (rule F1). Which, a million at a time, is not said. */
export interface ImportFact {
  readonly type: 'import'
  /** The name of their shape. */
  readonly shape: string
  readonly count: number
}

/** The shape of keys that were issued elsewhere. Null: it was deleted, and texts of it are keys no more. */
export interface KeyShapeFact {
  readonly type: 'key-shape'
  readonly name: string
  readonly shape: KeyShape | null
}

export interface SigningKeyFact {
  readonly type: 'signing-key'
  /** The JWS `kid`. */
  readonly id: string
  readonly algorithm: SigningAlgorithm
  readonly status: 'next' | 'active' | 'retiring' | 'retired'
  /** A public JWK (RFC 7517), without private members. A symmetric key has no public part: `kty` alone. */
  readonly publicJwk: Readonly<Record<string, unknown>>
  /**
   * Epoch milliseconds: the end of the last token that it signed elsewhere before it was brought here. Absent: what it
   * signs lives no longer than a token of ours (rule V7).
   */
  readonly tokensUntilMs?: number
  /**
   * What a symmetric key verifies with. It is never stored nor sent: a source in the process that has the secret adds
   * it, and as a handle, of which JSON shows nothing. Who is not given it knows no such key (decision 0010).
   */
  readonly secret?: VerificationKeyHandle
}

/** All issuer identifiers that the project signs as or has signed as. */
export interface IssuersFact {
  readonly type: 'issuers'
  /** The first is the current one. A former one is accepted until its last token has expired. */
  readonly own: readonly { readonly url: string; readonly acceptUntilMs: number | null }[]
}

export type RevocationKind = 'token' | 'session' | 'key' | 'subject' | 'client' | 'everything'

/** A rule that kills credentials (rules V1 to V7). */
export interface RevocationRule {
  readonly id: string
  readonly kind: RevocationKind
  /** `jti`, `sid`, key id, subject or client id; empty for everything. */
  readonly target: string
  /** Null: the project's own issuers, present and former; else a foreign issuer. */
  readonly issuer: string | null
  /** Narrows subject, client and everything. Null: both kinds of credential. */
  readonly only: 'keys' | 'tokens' | null
  /** True: whatever comes later dies too, until the ban is lifted. */
  readonly ban: boolean
  /** The rule's own place in the feed: it kills what was issued before it. */
  readonly position: Position
  /** Spares what was issued at this time or later, even before the rule (epoch milliseconds). */
  readonly issuedBeforeMs: number | null
  /** After this no token can meet the rule any more (rule V7). Null: never. */
  readonly tokensUntilMs: number | null
}

export interface RevocationFact {
  readonly type: 'revocation'
  readonly rule: RevocationRule
}

/** A ban was lifted; the *all so far* rule it leaves behind comes before it as a fact of its own (rule V1). */
export interface LiftFact {
  readonly type: 'lift'
  readonly ruleId: string
}

/**
 * A signed statement of how far the project's audit chain reaches. Verifiers ignore it: it stands in the feed so that
 * copies of it leave the machine (decision 0018).
 */
export interface AuditCheckpointFact {
  readonly type: 'audit-checkpoint'
  /** The last entry that it speaks for. */
  readonly sequence: number
  /** That entry's MAC, in hexadecimal. */
  readonly mac: string
  /** Epoch milliseconds. */
  readonly atMs: number
  /** Ed25519, in hexadecimal. */
  readonly signature: string
}

export type Fact =
  | RoleFact
  | SubjectFact
  | ClientFact
  | KeyFact
  | ImportFact
  | KeyShapeFact
  | SigningKeyFact
  | IssuersFact
  | RevocationFact
  | LiftFact
  | AuditCheckpointFact

/** One entry of a project's ordered feed. Serialisable as it stands. */
export interface Change {
  readonly position: Position
  /** When its command began to run, epoch milliseconds. */
  readonly atMs: number
  /** The id of the command that made it (rule C5). */
  readonly commandId: string
  readonly facts: readonly Fact[]
}
