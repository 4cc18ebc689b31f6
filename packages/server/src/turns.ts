/**
 * Lets callers begin one a turn of the event loop, in the order in which they came. Between two of them whatever else
 * has arrived is served.
 */
export class Turns {
  readonly #waiting: (() => void)[] = []
  #running = false
  readonly #next = (): void => {
    const begin = this.#waiting.shift()
    this.#running = begin !== undefined
    if (begin === undefined) return
    setImmediate(this.#next)
    begin()
  }

  /** Calls back when it is the caller's turn: later, never at once. */
  take(begin: () => void): void {
    this.#waiting.push(begin)
    if (this.#running) return
    this.#running = true
    setImmediate(this.#next)
  }
}
