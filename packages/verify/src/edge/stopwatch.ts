import type { EdgeClock } from './edge-clock.ts'

/**
 * Time that passes, never told too short: of each span between two marks the larger counts of what the two clocks say has
 * passed in it (rule L2): one may have been set back, the other have stood still. What has passed up to a mark stays passed,
 * so a clock that is set back after another one stood still gives no time back. One clock must be right between two marks.
 */
export class Stopwatch {
  readonly #clock: EdgeClock
  /** What the clocks showed at the last mark, and how much time had passed. */
  #wallMs = 0
  #monotonicMs = 0
  #passedMs = 0

  constructor(clock: EdgeClock) {
    this.#clock = clock
    this.mark()
  }

  /** Milliseconds since some moment, at a mark that is made now. What must not be told too short begins with one. */
  mark(): number {
    const wallMs = this.#clock.wallMs()
    const monotonicMs = this.#clock.monotonicMs()
    this.#passedMs = this.readMs(wallMs, monotonicMs)
    this.#wallMs = wallMs
    this.#monotonicMs = monotonicMs
    return this.#passedMs
  }

  /** The same without a mark, however often: as the wall clock goes by whole milliseconds, many marks would tell too much. */
  readMs(wallMs = this.#clock.wallMs(), monotonicMs = this.#clock.monotonicMs()): number {
    return this.#passedMs + Math.max(monotonicMs - this.#monotonicMs, wallMs - this.#wallMs)
  }
}
