import type { Position } from '../changes/position.ts'
import type { EdgeClock } from './edge-clock.ts'
import type { Stopwatch } from './stopwatch.ts'

/** What an answer to a nonce grants. */
export interface Grant {
  /** Until when it lasts, by the stopwatch: counted from when the nonce was sent. */
  readonly untilMs: number
  /** What must be applied before it holds. */
  readonly head: Position
}

/** What the authority's clock showed, and when that was heard. */
interface ToldTime {
  readonly atMs: number
  readonly monotonicMs: number
}

/** No answer that counts is older. */
const MAX_DELAY_MS = 5_000

/**
 * How long the facts of a verifier may be answered from (rules L1, L2). Each grant runs from the instant its nonce was
 * sent, and holds once its head is applied.
 */
export class Lease {
  readonly #clock: EdgeClock
  readonly #stopwatch: Stopwatch
  /** When the last of those that hold ends. */
  #untilMs = Number.NEGATIVE_INFINITY
  /** Granted, and their heads not applied yet. */
  #pending: readonly Grant[] = []
  #time: ToldTime | undefined

  constructor(clock: EdgeClock, stopwatch: Stopwatch) {
    this.#clock = clock
    this.#stopwatch = stopwatch
  }

  /** Takes note of a grant, which holds from the {@link promote} on that has applied its head. */
  grant(grant: Grant): void {
    this.#pending = [...this.#pending.filter(({ untilMs }) => untilMs > this.#stopwatch.readMs()), grant]
  }

  /** What is applied has come further: whatever grant waited for that holds now. */
  promote(applied: Position): void {
    this.#pending = this.#pending.filter((grant) => {
      const holds = isApplied(grant.head, applied)
      if (holds) this.#untilMs = Math.max(this.#untilMs, grant.untilMs)
      return !holds
    })
  }

  /** Ends it, and whatever was granted for what was known so far. */
  drop(): void {
    this.#untilMs = Number.NEGATIVE_INFINITY
    this.#pending = []
  }

  /** Whether it runs, or ended less than `graceMs` ago. */
  runs(graceMs = 0): boolean {
    return this.runsAtMs(graceMs) !== undefined
  }

  /**
   * The time of this moment, if it runs or ended less than `graceMs` ago: {@link runs} and {@link nowMs} by one look at
   * each clock. Every verdict takes it, so nothing is made for it.
   */
  runsAtMs(graceMs: number, wallMs = this.#clock.wallMs()): number | undefined {
    const monotonicMs = this.#clock.monotonicMs()
    const runs = this.#stopwatch.readMs(wallMs, monotonicMs) < this.#untilMs + graceMs
    return runs ? this.#timeAt(wallMs, monotonicMs) : undefined
  }

  leftMs(): number {
    return Math.max(0, this.#untilMs - this.#stopwatch.readMs())
  }

  /**
   * The authority's time, as an answer that has just come tells it (rule L5). An answer that was held up tells too
   * little; one that tells much less says that the authority's clock was set back.
   */
  tellTime(atMs: number): void {
    const monotonicMs = this.#clock.monotonicMs()
    const behindMs = this.#time === undefined ? -1 : authorityMs(this.#time, monotonicMs) - atMs
    if (behindMs < 0 || behindMs > MAX_DELAY_MS) this.#time = { atMs, monotonicMs }
  }

  /** Epoch milliseconds, never behind what the authority has told. */
  nowMs(): number {
    return this.#timeAt(this.#clock.wallMs(), this.#clock.monotonicMs())
  }

  #timeAt(wallMs: number, monotonicMs: number): number {
    if (this.#time === undefined) return wallMs
    return Math.max(wallMs, Math.floor(authorityMs(this.#time, monotonicMs)))
  }
}

function authorityMs({ atMs, monotonicMs }: ToldTime, nowMonotonicMs: number): number {
  return atMs + nowMonotonicMs - monotonicMs
}

function isApplied(head: Position, applied: Position): boolean {
  return head.epoch === applied.epoch && head.number <= applied.number
}
