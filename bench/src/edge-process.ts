import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Verifiers in a process of their own (edge-peer.ts). */
export interface EdgeProcess {
  /** From the beginning of their start until all had facts and a lease, milliseconds. */
  readonly readyMs: number
  /** What was in use then. */
  readonly bytes: number
  /** Resolves once the key is known there, with when it is refused first (nanoseconds of the monotonic clock). */
  watch(credential: string): Promise<{ readonly refusedAt: Promise<bigint> }>
  close(): Promise<void>
}

export async function startEdge(place: {
  readonly url: string
  readonly key: string
  readonly count: number
}): Promise<EdgeProcess> {
  const child: ChildProcess = fork(
    fileURLToPath(import.meta.resolve('./edge-peer.ts')),
    [place.url, place.key, String(place.count)],
    { execArgv: ['--expose-gc'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  )
  const [ready] = (await once(child, 'message')) as [{ readyMs: number; bytes: number }]
  return {
    ...ready,
    async watch(credential) {
      const known = once(child, 'message')
      child.send(credential)
      await known
      return { refusedAt: once(child, 'message').then(([text]) => BigInt(String(text))) }
    },
    async close() {
      child.send('close')
      await once(child, 'exit')
    },
  }
}
