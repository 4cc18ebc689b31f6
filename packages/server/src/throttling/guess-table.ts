/** A count that drains by one each `refillMs`, up to `burst`. */
export interface Drain {
  readonly burst: number
  readonly refillMs: number
}

interface Bucket {
  readonly failures: number
  readonly atMs: number
  /** When nothing is left of it. */
  readonly drainedAtMs: number
}

/** Of those remembered, so many may be slowed before one of them makes room; the rest is for who has just begun. */
const SLOWED_PART = 0.75

/** The failures of one realm. Those who are slowed are kept apart, so that no crowd of others makes them forgotten. */
export class GuessTable {
  /** Each in the order of the last failure. */
  readonly #light = new Map<string, Bucket>()
  readonly #slowed = new Map<string, Bucket>()

  get size(): number {
    return this.#light.size + this.#slowed.size
  }

  /** Counts a failure, and answers how many seconds the group is to wait; 0: it may go on. */
  countFailure(group: string, { burst, refillMs }: Drain, nowMs: number): number {
    const known = this.#light.get(group) ?? this.#slowed.get(group)
    const left = known === undefined ? 0 : Math.max(0, known.failures - (nowMs - known.atMs) / refillMs)
    this.#light.delete(group)
    this.#slowed.delete(group)
    // What goes beyond the burst does not count: who waits as long as told may go on.
    const failures = Math.min(left + 1, burst)
    const isSlowed = left + 1 > burst
    const bucket = { failures, atMs: nowMs, drainedAtMs: nowMs + failures * refillMs }
    if (isSlowed) this.#slowed.set(group, bucket)
    else this.#light.set(group, bucket)
    return isSlowed ? Math.ceil(((left + 1 - burst) * refillMs) / 1000) : 0
  }

  /** Makes room for one: whoever has waited long enough, then who has hardly guessed, and last who is slowed. */
  forgetOne(maxSize: number, nowMs: number): void {
    const [slowed] = this.#slowed
    const mayKeep = slowed === undefined || (slowed[1].drainedAtMs > nowMs && !this.#isCrowded(maxSize))
    const [oldest] = mayKeep && this.#light.size > 0 ? this.#light.keys() : this.#slowed.keys()
    if (oldest === undefined) return
    this.#light.delete(oldest)
    this.#slowed.delete(oldest)
  }

  #isCrowded(maxSize: number): boolean {
    return this.#slowed.size > maxSize * SLOWED_PART
  }
}
