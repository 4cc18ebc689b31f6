import { type EdgeClock, elapsedMs, type Instant, instantOf } from './edge-clock.ts'

/**
 * Time that passes, never told too short: of each span between two marks the larger counts of what the two clocks say has
 * passed in it (rule L2). What has passed up to a mark stays passed, so a clock that is set back after another one stood
 * still gives no time back. One clock must be right between two marks.
 */
export class Stopwatch {
  readonly #clock: EdgeClock
  #markedAt: Instant
  #markedMs = 0

  constructor(clock: EdgeClock) {
    this.#clock = clock
    this.#markedAt = instantOf(clock)
  }

  /** Milliseconds since it began, at a mark that is made now. What is compared with later readings is read so. */
  mark(): number {
    const now = instantOf(this.#clock)
    this.#markedMs += elapsedMs(this.#markedAt, now)
    this.#markedAt = now
    return this.#markedMs
  }

  readMs(): number {
    return this.readAtMs(this.#clock.wallMs(), this.#clock.monotonicMs())
  }

  /** When the clocks show this. Every verdict asks for it, so nothing is made for it. */
  readAtMs(wallMs: number, monotonicMs: number): number {
    const { wallMs: markedWallMs, monotonicMs: markedMonotonicMs } = this.#markedAt
    return this.#markedMs + Math.max(monotonicMs - markedMonotonicMs, wallMs - markedWallMs)
  }
}
