import type { EdgeClock } from './edge-clock.ts'
import { EdgeError } from './edge-transport.ts'

const CLOSED = 'The verifier was closed.'

/** Runs what a signal ends: after that many milliseconds, or when the outer signal aborts. Rejects then, come what may. */
export async function withTimeout<Result>(
  { clock, ms, signal }: { readonly clock: EdgeClock; readonly ms: number; readonly signal: AbortSignal },
  act: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  if (signal.aborted) throw new EdgeError('unreachable', CLOSED)
  const inner = new AbortController()
  let release = (): void => undefined
  const ended = new Promise<never>((_, reject) => {
    const end = (message: string): void => {
      reject(new EdgeError('unreachable', message))
      inner.abort()
    }
    const stop = (): void => end(CLOSED)
    const cancel = clock.after(ms, () => end(`The server did not answer within ${ms} ms.`))
    signal.addEventListener('abort', stop, { once: true })
    release = () => {
      cancel()
      signal.removeEventListener('abort', stop)
    }
  })
  try {
    return await Promise.race([act(inner.signal), ended])
  } finally {
    release()
  }
}
