import type { Balance, CountedLimit, Counter } from './counter.ts'

/** The longest window that is counted in the memory of the process. */
export const MAX_MEMORY_WINDOW_SECONDS = 60

/** Counts a short window in memory: it costs no disk, and a crash forgets it. */
export class MemoryCounter implements Counter {
  readonly #windowMs: number
  #startMs = 0
  #spent = 0

  constructor(windowSeconds: number) {
    this.#windowMs = windowSeconds * 1000
  }

  balance(limit: number, nowMs: number): Balance {
    this.#turn(nowMs)
    const remaining = Math.max(0, limit - this.#spent)
    return { remaining, atHand: remaining }
  }

  take(_limit: CountedLimit, cost: number, nowMs: number): void {
    if (cost === 0) return
    this.#turn(nowMs)
    if (this.#spent === 0) this.#startMs = nowMs
    this.#spent += cost
  }

  putBack(units: number, endsAtMs: number, nowMs: number): void {
    if (this.endsAtMs(nowMs) === endsAtMs) this.#spent = Math.max(0, this.#spent - units)
  }

  async bring(): Promise<void> {}

  endsAtMs(nowMs: number): number | undefined {
    this.#turn(nowMs)
    return this.#spent === 0 ? undefined : this.#startMs + this.#windowMs
  }

  isIdle(nowMs: number): boolean {
    this.#turn(nowMs)
    return this.#spent === 0
  }

  /**
   * A clock that was set back to before the window takes the window along, with what was spent in it: nothing is
   * granted twice, and nobody waits for longer than a window.
   */
  #turn(nowMs: number): void {
    if (nowMs >= this.#startMs + this.#windowMs) this.#spent = 0
    else if (nowMs < this.#startMs) this.#startMs = nowMs
  }
}
