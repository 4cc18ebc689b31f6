/** What a verifier at the edge knows of time. It comes in from outside, so that tests own it. */
export interface EdgeClock {
  /** Epoch milliseconds. Whoever sets the machine's clock moves it. */
  wallMs(): number
  /** Milliseconds since some moment. Nobody sets it, and on some machines it stands still while they sleep. */
  monotonicMs(): number
  /** Calls once, that many milliseconds from now. Answers what calls it off. */
  after(ms: number, act: () => void): () => void
}

export const SYSTEM_CLOCK: EdgeClock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(ms, act) {
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  },
}
