import { setImmediate } from 'node:timers/promises'
import { type KeyRecord, Verifier } from '@claviger/verify'
import type { FreshTexts } from './fresh-texts.ts'
import { AUDIENCE, makeKeys, makeRule, makeSource, requestFor, type SigningKeys } from './project.ts'

const KEYS = 20_000
const RULES = 10_000

/** What a cached key, a cached token and a revocation rule hold of memory, as Markdown. */
export async function memory(signing: SigningKeys, tokens: FreshTexts): Promise<string> {
  const { texts, records } = makeKeys(KEYS)
  const source = makeSource(signing, new Copies(records))
  const verifier = await Verifier.open({ source, audience: AUDIENCE })
  const verifyAll = async (credentials: FreshTexts): Promise<void> => {
    for (const credential of credentials.make()) await verifier.verify(requestFor(credential))
    verifier.takeUses()
  }
  const rules = Array.from({ length: RULES }, (_, index) => JSON.stringify(makeRule(RULES + index)))
  const key = await bytesEach(KEYS, () => verifyAll(texts))
  const token = await bytesEach(tokens.count, () => verifyAll(tokens))
  const rule = await bytesEach(RULES, async () => {
    for (const text of rules) source.deliver({ type: 'revocation', rule: JSON.parse(text) })
  })
  return [
    '## Memory',
    `Bytes of memory, after a full collection: of each of ${KEYS.toLocaleString('en')} cached keys with two roles, a permission and ` +
      `metadata, of each of ${tokens.count.toLocaleString('en')} cached RS256 tokens of ${tokens.meanLength} characters, and of each of ` +
      `${RULES.toLocaleString('en')} revocation rules of all kinds. The documentation of the verifier says about 1 KB a key and 2 KB a token.`,
    [
      '| held | bytes each |',
      '| --- | ---: |',
      `| cached key | ${key} |`,
      `| cached token | ${token} |`,
      `| revocation rule | ${rule} |`,
    ].join('\n'),
  ].join('\n\n')
}

async function bytesEach(count: number, hold: () => Promise<void>): Promise<number> {
  const before = await heldBytes()
  await hold()
  return Math.round(((await heldBytes()) - before) / count)
}

/** Of the heap, and of the memory outside of it that typed arrays have, which is given back a turn later. */
async function heldBytes(): Promise<number> {
  globalThis.gc?.()
  await setImmediate()
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Each record is read anew, as from a database. */
class Copies extends Map<string, KeyRecord> {
  override get(digest: string): KeyRecord | undefined {
    const record = super.get(digest)
    return record === undefined ? undefined : structuredClone(record)
  }
}
