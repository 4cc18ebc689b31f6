/**
 * Verifiers in a process of their own, all of one server: `edge-peer.ts URL KEY COUNT`. For a credential that it is
 * sent, it answers when the first of them knows it, and then the moment at which that one refuses it first.
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { createVerifier } from '@claviger/verify'

const [url = '', key = '', count = '1'] = process.argv.slice(2)
const startMs = performance.now()
const verifiers = await Promise.all(
  Array.from({ length: Number(count) }, (_, index) => createVerifier({ url, key, name: `bench-${index}` })),
)
globalThis.gc?.()
const { heapUsed, arrayBuffers } = process.memoryUsage()
process.send?.({ readyMs: performance.now() - startMs, bytes: heapUsed + arrayBuffers })
const [verifier] = verifiers

for (;;) {
  const [credential] = await once(process, 'message')
  if (credential === 'close' || verifier === undefined) break
  const isRefused = async (): Promise<boolean> => !(await verifier.verify({ credential })).ok
  if (await isRefused()) throw new Error('The key is refused from the start.')
  process.send?.('known')
  while (!(await isRefused())) await sleep(1)
  // The clock that nobody sets is one for all processes of the machine.
  process.send?.(String(process.hrtime.bigint()))
}
await Promise.all(verifiers.map((one) => one.close()))
process.exit()
