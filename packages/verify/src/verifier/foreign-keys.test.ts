import { beforeEach, describe, expect, it } from 'vitest'
import {
  AUDIENCE,
  accessClaims,
  base62,
  digestOf,
  ISSUER,
  makeKey,
  TestSigner,
} from '../../test/credentials.ts'
import { MemorySource } from '../../test/memory-source.ts'
import type { KeyRecord } from '../source/source.ts'
import type { Verdict } from '../verdict.ts'
import { Verifier } from './verifier.ts'

const signer = new TestSigner()
const outcome = (verdict: Verdict | undefined): string => (verdict?.ok ? 'ok' : (verdict?.code ?? 'none'))
const SHORT = { prefix: 'old_', alphabet: '0123456789abcdef', minLength: 40, length: 40 }
/** Longer than any key of our own, and as long as many tokens. */
const LONG = { prefix: 'long-', alphabet: '0123456789abcdef', minLength: 200, length: 200 }

let source: MemorySource
let verifier: Verifier

beforeEach(async () => {
  source = new MemorySource()
  source.facts = [
    signer.fact,
    { type: 'issuers', own: [{ url: ISSUER, acceptUntilMs: null }] },
    { type: 'key-shape', name: 'short', shape: SHORT },
    { type: 'key-shape', name: 'long', shape: LONG },
  ]
  verifier = await Verifier.open({ source, audience: AUDIENCE })
})

let texts = 0
function newText({ prefix, length } = SHORT): string {
  return prefix + (texts++).toString(16).padStart(length, '0')
}

function addKey(text: string, given: Partial<KeyRecord> = {}): void {
  source.keys.set(digestOf(text), makeKey({ pos: source.position(), ...given }).record)
}

const ask = async (credential: string): Promise<string> => outcome(await verifier.verify({ credential }))

describe.each([
  ['of the length of our own', SHORT],
  ['longer than our own', LONG],
])('an imported key %s', (_, shape) => {
  it('is looked up by its digest, and from then on answered from memory', async () => {
    const text = newText(shape)
    addKey(text)
    expect(verifier.verifyCached({ credential: text })).toBeUndefined()
    expect(await ask(text)).toBe('ok')
    expect(outcome(verifier.verifyCached({ credential: text }))).toBe('ok')
    expect(source.fetches).toBe(1)
  })

  it('takes the same look-ups whether unknown, revoked or good', async () => {
    for (const given of [undefined, { revoked: true }, {}]) {
      const text = newText(shape)
      if (given !== undefined) addKey(text, given)
      source.fetches = 0
      await ask(text)
      await ask(text)
      expect(source.fetches).toBe(1)
    }
  })

  it('is no key any more once its shape is gone, however warm the caches are', async () => {
    const text = newText(shape)
    addKey(text)
    expect(await ask(text)).toBe('ok')
    source.commit({ type: 'key-shape', name: shape === SHORT ? 'short' : 'long', shape: null })
    expect(await ask(text)).toBe('malformed')
    expect(verifier.verifyCached({ credential: text })?.ok).not.toBe(true)
  })
})

describe('a text of no registered shape', () => {
  it.each([
    ['one letter more', `old_${'a'.repeat(41)}`],
    ['a letter of another alphabet', `old_${'a'.repeat(39)}g`],
    ['another prefix', `new_${'a'.repeat(40)}`],
    ['capitals', `OLD_${'a'.repeat(40)}`],
  ])('never reaches the authority: %s', async (_, text) => {
    addKey(text)
    expect(await ask(text)).toBe('malformed')
    expect(source.fetches).toBe(0)
  })

  it('is recognised from the change on that registers its shape', async () => {
    const text = `later-${'b'.repeat(32)}`
    addKey(text)
    expect(await ask(text)).toBe('malformed')
    source.commit({
      type: 'key-shape',
      name: 'later',
      shape: { prefix: 'later-', alphabet: 'abcdef0123456789', minLength: 32, length: 32 },
    })
    expect(await ask(text)).toBe('ok')
  })

  it('is a token where it is one, and as fast as ever: shapes as long as tokens take none of them', async () => {
    const token = signer.sign(accessClaims(source.time, source.position()))
    expect(await ask(token)).toBe('ok')
    expect(outcome(verifier.verifyCached({ credential: token }))).toBe('ok')
    expect(source.fetches).toBe(0)
  })
})

describe('F1: an import', () => {
  it('makes known what was unknown', async () => {
    const text = newText()
    const own = makeKey()
    expect([await ask(text), await ask(own.text)]).toEqual(['unknown', 'unknown'])
    addKey(text)
    source.keys.set(own.digest, own.record)
    source.commit({ type: 'import', shape: 'short', count: 1 })
    expect([await ask(text), await ask(own.text)]).toEqual(['ok', 'ok'])
  })

  it('that overtakes a look-up on its way makes it be asked again', async () => {
    const text = newText()
    source.beforeDelivery = () => {
      source.beforeDelivery = () => {}
      addKey(text)
      source.commit({ type: 'import', shape: 'short', count: 1 })
    }
    expect(await ask(text)).toBe('ok')
    expect(source.fetches).toBe(2)
  })

  it('touches no key that is known, cached or on its way: a million imports make nobody wait', async () => {
    const text = newText()
    addKey(text)
    source.beforeDelivery = () => void source.commit({ type: 'import', shape: 'short', count: 500 })
    expect(await ask(text)).toBe('ok')
    expect(source.fetches).toBe(1)
    source.commit({ type: 'import', shape: 'short', count: 500 })
    expect(outcome(verifier.verifyCached({ credential: text }))).toBe('ok')
  })
})

describe('a flood of guesses of foreign shape', () => {
  it('pushes out neither keys nor the absences of our own', async () => {
    const small = await Verifier.open({ source, audience: AUDIENCE, maxCachedKeys: 100 })
    const known = newText()
    addKey(known)
    const absent = makeKey().text
    await small.verify({ credential: known })
    await small.verify({ credential: absent })
    for (let guess = 0; guess < 12_000; guess++) await small.verify({ credential: newText() })
    source.fetches = 0
    expect(outcome(small.verifyCached({ credential: known }))).toBe('ok')
    expect(outcome(small.verifyCached({ credential: absent }))).toBe('unknown')
    expect(source.fetches).toBe(0)
  })

  it('keeps a bounded number of look-ups busy, and other keys are answered meanwhile', async () => {
    const gate = Promise.withResolvers<void>()
    source.beforeDelivery = () => gate.promise
    const guesses = Array.from({ length: 10_050 }, () => ask(newText()))
    const own = makeKey()
    source.keys.set(own.digest, own.record)
    const other = ask(own.text)
    await new Promise((resolve) => setImmediate(resolve))
    expect(source.fetches).toBe(10_001)
    gate.resolve()
    expect(await other).toBe('ok')
    const answers = await Promise.all(guesses)
    expect(answers.filter((answer) => answer === 'unavailable')).toHaveLength(50)
    expect(await ask(newText())).toBe('unknown')
  })

  it('base62 text without a checksum is told apart from our own, whose checksum is never skipped', async () => {
    const forged = `ck_${base62(44)}`
    addKey(forged)
    expect(await ask(forged)).toBe('malformed')
    expect(source.fetches).toBe(0)
  })
})
