import { Distribution, type DistributionSnapshot } from '../statistics/distribution.ts'
import type { Outcome } from './messages.ts'

const DURATION_BOUNDS_MS = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1_000, 5_000]
/** Up to the most commands that one transaction takes. */
const SIZE_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** What the writer thread has done, and what waits for it. */
export interface WriterStatistics {
  readonly commandsStored: number
  readonly commandsRefused: number
  /** Entries of all projects' feeds that this process has written. */
  readonly changes: number
  /** From the begin of a transaction until its commit returned, in milliseconds. */
  readonly batchDuration: DistributionSnapshot
  /** Commands a transaction. */
  readonly batchSize: DistributionSnapshot
  /** The last transaction that had something to store found the disk full. */
  readonly storageFull: boolean
  /** Commands that were sent and are not answered. */
  readonly queued: number
  /** How long the first of them has waited; 0 when there is none. */
  readonly oldestWaitMs: number
}

/** Counts what comes back from the writer thread, batch by batch. */
export class WriterCounts {
  readonly #duration = new Distribution(DURATION_BOUNDS_MS)
  readonly #size = new Distribution(SIZE_BOUNDS)
  #stored = 0
  #refused = 0
  #changes = 0
  #storageFull = false

  add({ outcomes, tookMs }: { readonly outcomes: readonly Outcome[]; readonly tookMs: number }): void {
    this.#duration.add(tookMs)
    this.#size.add(outcomes.length)
    for (const outcome of outcomes) {
      if (outcome.ok) {
        this.#stored++
        this.#changes += outcome.changes.length
        this.#storageFull = false
      } else {
        this.#refused++
        if (outcome.code === 'storage_full') this.#storageFull = true
      }
    }
  }

  read(): Omit<WriterStatistics, 'queued' | 'oldestWaitMs'> {
    return {
      commandsStored: this.#stored,
      commandsRefused: this.#refused,
      changes: this.#changes,
      batchDuration: this.#duration.read(),
      batchSize: this.#size.read(),
      storageFull: this.#storageFull,
    }
  }
}
