import type { EdgeClock } from './edge-clock.ts'
import { EdgeError } from './edge-transport.ts'

export interface Timeout {
  readonly clock: EdgeClock
  readonly ms: number
  /** Ends it sooner. */
  readonly signal?: AbortSignal
}

/** Runs what a signal ends: after that many milliseconds, or when the outer signal aborts. Rejects then, come what may. */
export async function withTimeout<Result>(
  { clock, ms, signal }: Timeout,
  act: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const closed = new EdgeError('unreachable', 'The verifier was closed.')
  if (signal?.aborted) throw closed
  const inner = new AbortController()
  const ended = new Promise<never>((_, reject) => {
    inner.signal.addEventListener('abort', () => reject(inner.signal.reason))
  })
  const stop = (): void => inner.abort(closed)
  signal?.addEventListener('abort', stop)
  const cancel = clock.after(ms, () =>
    inner.abort(new EdgeError('unreachable', `The server did not answer within ${ms} ms.`)),
  )
  try {
    return await Promise.race([act(inner.signal), ended])
  } finally {
    cancel()
    signal?.removeEventListener('abort', stop)
  }
}
