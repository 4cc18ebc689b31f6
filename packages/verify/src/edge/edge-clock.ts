/** A moment by both clocks. */
export interface Instant {
  /** Epoch milliseconds. Whoever sets the machine's clock moves it. */
  readonly wallMs: number
  /** Milliseconds since some moment. Nobody sets it, and on some machines it stands still while they sleep. */
  readonly monotonicMs: number
}

/** What a verifier at the edge knows of time. It comes in from outside, so that tests own it. */
export interface EdgeClock {
  wallMs(): number
  monotonicMs(): number
  /** Calls once, that many milliseconds from now. Answers what calls it off. */
  after(ms: number, act: () => void): () => void
}

export function systemClock(): EdgeClock {
  return {
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    after(ms, act) {
      const timer = setTimeout(act, ms)
      return () => clearTimeout(timer)
    },
  }
}

export function instantOf(clock: EdgeClock): Instant {
  return { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() }
}

/** The larger of what the two clocks say has passed (rule L2): one may have been set back, the other have stood still. */
export function elapsedMs(since: Instant, now: Instant): number {
  return Math.max(now.monotonicMs - since.monotonicMs, now.wallMs - since.wallMs)
}
