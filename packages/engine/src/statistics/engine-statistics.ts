import type { VerifierStatistics } from '@claviger/verify'
import type { WriterStatistics } from '../commands/writer-counts.ts'

/** What a node has done since its start and holds now: numbers alone, and none of them about one key or subject. */
export interface EngineStatistics {
  /** Of the verifiers of customers' projects. */
  readonly verifiers: readonly VerifierStatistics[]
  /** Of the verifier that recognises management keys. */
  readonly management: VerifierStatistics
  readonly writer: WriterStatistics
  /** Verifiers in other processes, of all projects. */
  readonly edgeVerifiers: { readonly leased: number; readonly lapsed: number }
  /** Keys whose use is counted and not written yet. */
  readonly unwrittenUsage: number
  /** Without the one of the management keys. */
  readonly projects: number
  readonly databaseBytes: number
  /** The write-ahead log: it is folded into the database as it grows, unless a reader holds that up. */
  readonly walBytes: number
}

/** Whether a node can do its work, and what stands in its way. */
export interface Readiness {
  /** `unavailable`: send no requests here. `degraded`: credentials are verified, while something is amiss. */
  readonly status: 'ready' | 'degraded' | 'unavailable'
  readonly problems: readonly ReadinessProblem[]
}

export type ReadinessProblem =
  /** The thread that stores is dead: nothing can be changed until a restart, and a change may have gone untold. */
  | 'writer_stopped'
  | 'database_unreadable'
  /** The last change found the disk full: nothing can be changed until there is room. */
  | 'storage_full'
  /** Changes wait far longer than a commit takes. */
  | 'writer_behind'
