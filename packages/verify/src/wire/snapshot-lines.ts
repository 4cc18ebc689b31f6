import type { Snapshot } from '../source/source.ts'

/** The first line of `GET /v1/changes/snapshot` (application/x-ndjson). A fact a line follows. */
export type SnapshotHead = Pick<Snapshot, 'project' | 'position' | 'epochs'>

/**
 * Rules of one kind, of which there can be a million, many in a line: each is of the project's own issuers, and kills its
 * one target (`token`, `session`) or all of it that is older than its place (`subject`, `client`).
 */
export interface SnapshotRules {
  readonly type: 'rules'
  readonly kind: 'token' | 'session' | 'subject' | 'client'
  readonly epoch: string
  readonly targets: readonly string[]
  /** The rules' places in the epoch, in the order of the targets; and after which no token can meet each of them. */
  readonly numbers: readonly number[]
  readonly untilsMs: readonly (number | null)[]
}

/** The last line. A body without it was cut short, and is no snapshot. */
export interface SnapshotEnd {
  readonly end: true
  /** How many facts there were, each rule of a line of rules counted. */
  readonly facts: number
}
