/**
 * Preloaded into a server whose machine's clock is set while it runs, in every thread: it is ahead by so many milliseconds
 * as the environment says at first, and as each line of standard input says from then on.
 */
import { createInterface } from 'node:readline'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

const SHARED = 'milliseconds that the clock is ahead'
const machineMs = Date.now

const memory = isMainThread
  ? new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)
  : getEnvironmentData(SHARED)
if (!(memory instanceof SharedArrayBuffer)) throw new TypeError('The main thread has shared no clock.')
const ahead = new BigInt64Array(memory)
Date.now = () => machineMs() + Number(Atomics.load(ahead, 0))

if (isMainThread) {
  setEnvironmentData(SHARED, memory)
  Atomics.store(ahead, 0, BigInt(process.env.FAULT_CLOCK_AHEAD_MS ?? 0))
  createInterface({ input: process.stdin }).on('line', (line) => Atomics.store(ahead, 0, BigInt(line)))
}
