/**
 * The time, as every part of the engine reads it. It comes in at the composition root, so that tests own it,
 * and its handle crosses to the writer thread, so that both threads read the same clock.
 */
export interface Clock {
  /** Epoch milliseconds, a whole number. */
  nowMs(): number
  /** What another thread opens the same clock with. */
  readonly handle: ClockHandle
}

/** Survives a structured clone: a manual clock is shared memory, not a copy. */
export type ClockHandle =
  | { readonly kind: 'system' }
  | { readonly kind: 'manual'; readonly memory: SharedArrayBuffer }

/** A clock that stands still until it is told otherwise. For tests. */
export interface ManualClock extends Clock {
  advance(ms: number): void
  /** Epoch milliseconds; may be earlier than now. */
  set(ms: number): void
}

/** The machine's wall clock. */
export function systemClock(): Clock {
  return { nowMs: Date.now, handle: { kind: 'system' } }
}

export function manualClock(startMs: number): ManualClock {
  const clock = sharedClock(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT))
  clock.set(startMs)
  return clock
}

/** The clock behind a handle, on whichever thread this runs. */
export function openClock(handle: ClockHandle): Clock {
  return handle.kind === 'system' ? systemClock() : sharedClock(handle.memory)
}

function sharedClock(memory: SharedArrayBuffer): ManualClock {
  const cell = new BigInt64Array(memory)
  return {
    nowMs: () => Number(Atomics.load(cell, 0)),
    handle: { kind: 'manual', memory },
    advance: (ms) => void Atomics.add(cell, 0, BigInt(ms)),
    set: (ms) => void Atomics.store(cell, 0, BigInt(ms)),
  }
}
