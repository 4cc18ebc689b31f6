import type { KeyFill } from '../source/source.ts'
import type { EdgeClock } from './edge-clock.ts'
import { EdgeError, type EdgeTransport } from './edge-transport.ts'
import { withTimeout } from './with-timeout.ts'

interface Waiting {
  readonly digest: string
  readonly resolve: (fill: KeyFill) => void
  readonly reject: (error: Error) => void
}

const DIGESTS_A_REQUEST = 100
const MAX_REQUESTS = 4
/** Beyond it a caller is told at once that nobody can answer. */
const MAX_WAITING = 20_000
const TIMEOUT_MS = 2_000

/**
 * Looks keys up at the server: those that are asked for while other requests are under way go together, in the next
 * one. Most keys are looked up once, so what is slow about it is the way, not the work.
 */
export class FillQueue {
  readonly #transport: EdgeTransport
  readonly #clock: EdgeClock
  readonly #signal: AbortSignal
  #waiting: Waiting[] = []
  #requests = 0

  constructor(transport: EdgeTransport, clock: EdgeClock, signal: AbortSignal) {
    this.#transport = transport
    this.#clock = clock
    this.#signal = signal
  }

  fetch(digest: string): Promise<KeyFill> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new EdgeError('unreachable', 'Too many keys are being looked up.'))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ digest, resolve, reject })
      // What else is asked for in this turn goes along.
      if (this.#waiting.length === 1) void Promise.resolve().then(() => this.#send())
    })
  }

  async #send(): Promise<void> {
    if (this.#requests >= MAX_REQUESTS || this.#waiting.length === 0) return
    const batch = this.#waiting.splice(0, DIGESTS_A_REQUEST)
    this.#requests++
    if (this.#waiting.length > 0) void this.#send()
    try {
      const digests = batch.map(({ digest }) => digest)
      const fills = await withTimeout(
        { clock: this.#clock, ms: TIMEOUT_MS, signal: this.#signal },
        (signal) => this.#transport.resolveKeys(digests, signal),
      )
      for (const [index, { resolve, reject }] of batch.entries()) {
        const fill = fills[index]
        if (fill === undefined) reject(new EdgeError('protocol', 'The server did not answer for a key.'))
        else resolve(fill)
      }
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error))
      for (const { reject } of batch) reject(reason)
    } finally {
      this.#requests--
      void this.#send()
    }
  }
}
