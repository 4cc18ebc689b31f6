import { ThrottledError } from './throttled-error.ts'

/** Callers that are kept though they have none under way. */
const MAX_IDLE = 1_000

/** How many requests each caller has under way, so that one alone cannot take all memory and every turn of the disk. */
export class InFlight {
  readonly #most: number
  readonly #counts = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** Throws `too_many_requests` when the caller has as many as it may. Takes no place: what is answered at once needs none. */
  admit(callerId: string): void {
    const count = this.#counts.get(callerId) ?? 0
    if (count >= this.#most) {
      throw new ThrottledError(
        `The management key has ${this.#most} requests under way, as many as it may. Await some first.`,
        1,
      )
    }
  }

  /** Takes a place, which `leave` gives back. Throws like `admit`. */
  enter(callerId: string): void {
    this.admit(callerId)
    this.#counts.set(callerId, (this.#counts.get(callerId) ?? 0) + 1)
  }

  leave(callerId: string): void {
    const count = (this.#counts.get(callerId) ?? 0) - 1
    // Those who come again soon keep their place: entries that come and go without end cost more than they hold (decision 0035).
    if (count > 0 || this.#counts.size <= MAX_IDLE) this.#counts.set(callerId, Math.max(0, count))
    else this.#counts.delete(callerId)
  }
}
