import type { Turns } from '../turns.ts'

/**
 * Bounds how many requests are worked on at once, so that a burst of thousands waits as bytes and not as everything that a
 * request under way holds: what is under way is copied by each collection of garbage, and a verification waits for that
 * (decision 0022). They begin in the order in which they came, one a turn of the event loop.
 *
 * Whoever is inside without having come whole must leave at once, and a place is free once the answer is ready: so nobody
 * holds one by sending or reading slowly.
 */
export class Gate {
  readonly #turns: Turns
  readonly #most: number
  readonly #waiting: (() => void)[] = []
  #inside = 0

  constructor(turns: Turns, most: number) {
    this.#turns = turns
    this.#most = most
  }

  /** Calls back when it is the caller's turn and there is a place: later, never at once. {@link leave} gives the place back. */
  enter(begin: () => void): void {
    if (this.#inside === this.#most) {
      this.#waiting.push(begin)
      return
    }
    this.#inside++
    this.#turns.take(begin)
  }

  leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#inside--
    else this.#turns.take(next)
  }
}
