import type { UseCount } from '../verifier/use-counts.ts'
import type { EdgeClock } from './edge-clock.ts'
import { type EdgeTransport, edgeErrorOf } from './edge-transport.ts'
import { withTimeout } from './with-timeout.ts'

export interface UsageReporterOptions {
  readonly transport: EdgeTransport
  readonly clock: EdgeClock
  readonly verifierId: string
  /** Another one each time. */
  readonly randomId: () => string
  /** Hands over what was counted since it was last called. */
  readonly take: () => readonly UseCount[]
}

interface Batch {
  readonly id: string
  readonly counts: readonly UseCount[]
}

const INTERVAL_MS = 1_000
const MAX_INTERVAL_MS = 60_000
const TIMEOUT_MS = 10_000
const COUNTS_A_BATCH = 1_000
/** While so many wait, what is counted stays where it is, which takes no more room for it. */
const MAX_BATCHES = 20

/**
 * Reports what the verifier has counted, once a second. A batch keeps its id until the server has said that it was
 * counted, so it counts once, whatever gets lost on the way.
 */
export class UsageReporter {
  readonly #options: UsageReporterOptions
  #batches: Batch[] = []
  #failures = 0
  #reporting: Promise<void> | undefined
  #cancel = (): void => undefined
  #closed = false

  constructor(options: UsageReporterOptions) {
    this.#options = options
  }

  /** Counts that no server has taken yet, apart from those that were not collected. */
  get waiting(): number {
    return this.#batches.reduce((sum, { counts }) => sum + counts.length, 0)
  }

  start(): void {
    if (this.#closed) return
    const ms = Math.min(MAX_INTERVAL_MS, INTERVAL_MS * 2 ** Math.min(this.#failures, 10))
    this.#cancel = this.#options.clock.after(ms, () => void this.report().then(() => this.start()))
  }

  /** Sends what was counted so far. Never rejects. */
  report(): Promise<void> {
    this.#reporting ??= this.#send().finally(() => {
      this.#reporting = undefined
    })
    return this.#reporting
  }

  /** Sends the last of it, if the server takes it now. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancel()
    await this.#reporting
    await this.report()
  }

  async #send(): Promise<void> {
    this.#collect()
    const { transport, clock, verifierId } = this.#options
    try {
      for (let batch = this.#batches[0]; batch !== undefined; batch = this.#batches[0]) {
        const report = { verifier: { id: verifierId }, batch: batch.id, counts: batch.counts }
        await withTimeout({ clock, ms: TIMEOUT_MS }, (ending) => transport.reportUsage(report, ending))
        this.#batches.shift()
      }
      this.#failures = 0
    } catch (error) {
      // What the server does not understand it will not understand later: the rest must not wait for it.
      if (edgeErrorOf(error).code === 'invalid_request') this.#batches.shift()
      this.#failures++
    }
  }

  #collect(): void {
    if (this.#batches.length >= MAX_BATCHES) return
    const counts = this.#options.take()
    for (let first = 0; first < counts.length; first += COUNTS_A_BATCH) {
      const id = this.#options.randomId()
      this.#batches.push({ id, counts: counts.slice(first, first + COUNTS_A_BATCH) })
    }
  }
}
