/** Prints what a rule weighs in memory, and how long so many take to be added: `node --expose-gc weigh-rules.ts 1000000`. */
import { RevocationRules } from '../src/revocation/revocation-rules.ts'

const EPOCH = '1-aaaaaaaa'
const count = Number(process.argv[2])

function weigh(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** As a token of ours is called: the text is a new one each time, as if it had been read from a feed. */
function targetOf(index: number): string {
  return JSON.parse(`"tok_0199c1f0a2b37c4d${index.toString(16).padStart(16, '0')}"`)
}

const before = weigh()
const startMs = performance.now()
const rules = new RevocationRules(new Set([EPOCH]))
for (let index = 0; index < count; index++) {
  rules.add({
    id: `rev_${index}`,
    kind: 'token',
    target: targetOf(index),
    issuer: null,
    only: null,
    ban: false,
    position: { epoch: EPOCH, number: index },
    issuedBeforeMs: null,
    tokensUntilMs: 1_800_000_000_000 + index,
  })
}
const seconds = (performance.now() - startMs) / 1000
const bytes = (weigh() - before) / count
console.log(JSON.stringify({ rules: rules.size, bytes: Math.round(bytes), seconds }))
