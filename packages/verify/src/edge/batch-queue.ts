import type { EdgeClock } from './edge-clock.ts'
import { EdgeError } from './edge-transport.ts'
import { withTimeout } from './with-timeout.ts'

interface Waiting<Item, Answer> {
  readonly item: Item
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

const ITEMS_A_REQUEST = 100
const MAX_REQUESTS = 4
/** Beyond it a caller is told at once that nobody can answer. */
const MAX_WAITING = 20_000
const TIMEOUT_MS = 2_000

/**
 * Asks the server for many things at a time: what is asked for while requests are under way goes together, in the next
 * one. What is slow about such a question is the way, not the work.
 */
export class BatchQueue<Item, Answer> {
  readonly #send: (items: readonly Item[], signal: AbortSignal) => Promise<readonly Answer[]>
  readonly #clock: EdgeClock
  readonly #signal: AbortSignal
  readonly #waiting: Waiting<Item, Answer>[] = []
  #requests = 0

  /** `send` answers in the order of the items. */
  constructor(
    send: (items: readonly Item[], signal: AbortSignal) => Promise<readonly Answer[]>,
    clock: EdgeClock,
    signal: AbortSignal,
  ) {
    this.#send = send
    this.#clock = clock
    this.#signal = signal
  }

  ask(item: Item): Promise<Answer> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new EdgeError('unreachable', 'Too much is being asked for.'))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      // What else is asked for in this turn goes along.
      if (this.#waiting.length === 1) void Promise.resolve().then(() => this.#next())
    })
  }

  async #next(): Promise<void> {
    if (this.#requests >= MAX_REQUESTS || this.#waiting.length === 0) return
    const batch = this.#waiting.splice(0, ITEMS_A_REQUEST)
    this.#requests++
    if (this.#waiting.length > 0) void this.#next()
    try {
      const items = batch.map(({ item }) => item)
      const limits = { clock: this.#clock, ms: TIMEOUT_MS, signal: this.#signal }
      const answers = await withTimeout(limits, (signal) => this.#send(items, signal))
      if (answers.length !== batch.length) throw new EdgeError('protocol', 'The server left out an answer.')
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as Answer)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    } finally {
      this.#requests--
      void this.#next()
    }
  }
}
