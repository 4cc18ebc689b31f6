import { type EdgeClock, SYSTEM_CLOCK } from './edge-clock.ts'
import { Lease } from './lease.ts'
import type { Stopwatch } from './stopwatch.ts'

/**
 * A lease that is looked at by both clocks once a turn of the event loop for each millisecond of the wall clock, and by the
 * wall clock at every verdict (decision 0032). A turn that is held up between two verdicts is as one that is held up
 * between a verdict and its answer, so long as the wall clock says that no time has passed. Clocks that come from outside are
 * both looked at each time: who owns them moves them within a turn.
 */
export class TurnLease extends Lease {
  readonly #clock: EdgeClock
  readonly #mayHold: boolean
  /** The wall clock and the grace of the last look, and what it said. */
  #wallMs = Number.NaN
  #graceMs = 0
  #atMs: number | undefined
  /** Whether that holds until the turn ends: if it runs, and from the second look of a millisecond on, for the end has its price. */
  #holds = false
  readonly #endTurn = (): void => {
    this.#holds = false
  }

  constructor(clock: EdgeClock, stopwatch: Stopwatch, mayHold = clock === SYSTEM_CLOCK) {
    super(clock, stopwatch)
    this.#clock = clock
    this.#mayHold = mayHold
  }

  override runsAtMs(graceMs: number): number | undefined {
    const wallMs = this.#clock.wallMs()
    const isSame = wallMs === this.#wallMs && graceMs === this.#graceMs
    return isSame && this.#holds ? this.#atMs : this.#look(graceMs, wallMs, isSame)
  }

  override drop(): void {
    super.drop()
    this.#holds = false
  }

  #look(graceMs: number, wallMs: number, isSame: boolean): number | undefined {
    this.#atMs = super.runsAtMs(graceMs, wallMs)
    this.#wallMs = wallMs
    this.#graceMs = graceMs
    this.#holds = isSame && this.#mayHold && this.#atMs !== undefined
    if (this.#holds) setImmediate(this.#endTurn)
    return this.#atMs
  }
}
