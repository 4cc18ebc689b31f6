import type { Snapshot } from '../source/source.ts'

/** The first line of `GET /v1/changes/snapshot` (application/x-ndjson). A fact a line follows. */
export type SnapshotHead = Pick<Snapshot, 'project' | 'position' | 'epochs'>

/** The last line. A body without it was cut short, and is no snapshot. */
export interface SnapshotEnd {
  readonly end: true
  /** How many facts there were. */
  readonly facts: number
}
