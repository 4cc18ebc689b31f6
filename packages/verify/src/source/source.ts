import type {
  Change,
  ClientFact,
  IssuersFact,
  KeyShapeFact,
  RevocationFact,
  RoleFact,
  SigningKeyFact,
  SubjectFact,
} from '../changes/change.ts'
import type { Position } from '../changes/position.ts'
import type { LimitKeeper } from '../limits/limit-keeper.ts'
import type { Limits } from '../limits/limits.ts'
import type { RevocationRules } from '../revocation/revocation-rules.ts'

/** Everything a verifier must know before its first answer, read at one position. */
export interface Snapshot {
  /** The project's name. */
  readonly project: string
  readonly position: Position
  /** Every epoch the project has had, oldest first. A `pos` of another epoch is older than every rule (E3). */
  readonly epochs: readonly string[]
  readonly facts: readonly (
    | RoleFact
    | SubjectFact
    | ClientFact
    | KeyShapeFact
    | SigningKeyFact
    | IssuersFact
    | RevocationFact
  )[]
  /** Rules that the source has made ready itself, besides those among the facts. They are the sink's from then on. */
  readonly rules?: RevocationRules
}

/** An API key as the authority knows it, found by the digest of one of its secrets. */
export interface KeyRecord {
  readonly id: string
  readonly subject: string
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  /** Null: not narrowed. */
  readonly scopes: readonly string[] | null
  readonly metadata: Readonly<Record<string, unknown>>
  readonly createdAtMs: number
  /** The position of its creation (rule V4). */
  readonly pos: Position
  readonly expiresAtMs: number | null
  readonly notBeforeMs: number | null
  /** CIDR blocks; null: from anywhere. */
  readonly ipAllow: readonly string[] | null
  readonly disabled: boolean
  /** Present: disabled since a restore, which cannot know whether it was revoked (rule B1). */
  readonly suspended?: true
  /** Killed by its own revocation, its deletion, or any rule that the snapshot need not carry (rule V7). */
  readonly revoked: boolean
  /** The secret that was presented. `validUntilMs`: end of its overlap after a rotation. */
  readonly secret: {
    readonly current: boolean
    readonly revoked: boolean
    readonly validUntilMs: number | null
  }
  /** Absent: it has none of its own. */
  readonly limits?: Limits
  /** Present on management keys (rule M1). `project` null: root. */
  readonly management?: {
    readonly project: string | null
    readonly verbs: readonly string[]
    readonly grants: readonly string[]
  }
}

/** The answer to a look-up by digest. `position` is the snapshot's that it was read in (rule F2). */
export interface KeyFill {
  readonly position: Position
  readonly key: KeyRecord | null
}

/** Where a source delivers to. */
export interface Sink {
  /** Replaces all facts: at the start, and when the source's epoch is another. */
  reset(snapshot: Snapshot): void
  /** Applies one change. Ones at or before the applied position are ignored. */
  apply(change: Change): void
}

/**
 * Where a verifier gets its facts: the database of its own process, or a Claviger server.
 *
 * A source in the process of the writer is always fresh. One elsewhere holds a lease (rules L1, L2): `fresh`
 * says whether it still runs, `refresh` asks once (L4).
 */
export interface Source {
  /** Shared by all verifiers of the process. */
  readonly limits: LimitKeeper
  /** Delivers a snapshot to the sink, then every later change. Resolves once the snapshot is applied. */
  open(sink: Sink): Promise<void>
  /** Looks a key up by the SHA-256 of its text (base64url). Rejects when nobody can answer. */
  fetchKey(digest: string): Promise<KeyFill>
  /** Whether facts may be answered from. It is the last thing looked at before an `ok`. */
  fresh(): boolean
  /** Asks the authority; resolves to whether the facts applied now are fresh. */
  refresh(): Promise<boolean>
  /** Epoch milliseconds, never behind the authority's own time (rule L5). */
  nowMs(): number
  /** Stops deliveries to the sink given to `open`. */
  close(sink: Sink): void
}
