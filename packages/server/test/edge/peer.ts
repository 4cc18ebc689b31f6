/**
 * A verifier in a process of its own: `peer.ts URL`, with its key as the first line of standard input and a message on each
 * further one, which is answered by a line with the same number.
 */
import { createInterface } from 'node:readline'
import { createVerifier } from '@claviger/verify'
import type { PeerMessage, PeerReply } from './peer-process.ts'

/** The clocks of this peer's machine, which somebody sets and which sleeps. */
let aheadMs = 0
let lostMs = 0
let stoodStillAt: number | undefined
const clock = {
  wallMs: () => Date.now() + aheadMs,
  monotonicMs: () => (stoodStillAt ?? performance.now()) - lostMs,
  after(ms: number, act: () => void) {
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  },
}

const input = createInterface({ input: process.stdin })
const lines = input[Symbol.asyncIterator]()
const key = (await lines.next()).value ?? ''
const verifier = await createVerifier({
  url: process.argv[2] ?? '',
  key,
  name: `peer ${process.pid}`,
  clock,
})
reply({ number: 0 })
for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
  void answer(JSON.parse(line.value)).then(reply)
}
await verifier.close()

async function answer(message: PeerMessage): Promise<PeerReply> {
  const { number } = message
  if ('request' in message) {
    const askedAt = String(process.hrtime.bigint())
    const verdict = await verifier.verify(message.request)
    return { number, outcome: verdict.ok ? 'ok' : verdict.code, askedAt }
  }
  if ('addMs' in message) aheadMs += message.addMs
  else if (message.standsStill) stoodStillAt ??= performance.now()
  else if (stoodStillAt !== undefined) {
    lostMs += performance.now() - stoodStillAt
    stoodStillAt = undefined
  }
  return { number }
}

function reply(line: PeerReply): void {
  console.log(JSON.stringify(line))
}
