/** The worker of `open-loop.ts`: says when each arrival is due. A timer of the event loop is up to a millisecond late. */
import { parentPort, workerData } from 'node:worker_threads'

const { startMs, intervalMs, count }: { startMs: number; intervalMs: number; count: number } = workerData
const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
for (let index = 0; index < count; index++) {
  const leftMs = startMs + index * intervalMs - (performance.timeOrigin + performance.now())
  if (leftMs > 0) Atomics.wait(never, 0, 0, leftMs)
  parentPort?.postMessage(index)
}
