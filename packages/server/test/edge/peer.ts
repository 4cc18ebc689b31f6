/**
 * A verifier in a process of its own: `peer.ts URL`, with its key as the first line of standard input and a credential
 * on each further one. Each is answered by a line: what came of it, and when the question was taken up.
 */
import { createInterface } from 'node:readline'
import { createVerifier } from '@claviger/verify'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const key = (await lines.next()).value ?? ''
const verifier = await createVerifier({ url: process.argv[2] ?? '', key, name: `peer ${process.pid}` })
console.log('ready')
for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
  const askedAt = String(process.hrtime.bigint())
  const verdict = await verifier.verify({ credential: line.value })
  console.log(JSON.stringify({ outcome: verdict.ok ? 'ok' : verdict.code, askedAt }))
}
await verifier.close()
