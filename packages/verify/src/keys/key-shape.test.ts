import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BASE62 } from './base62.ts'
import { type KeyShape, KeyShapes, keyShapeBits, keyShapeFault } from './key-shape.ts'
import { formatKeyString, looksLikeKeyString } from './key-string.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const HEX = '0123456789abcdef'

function shape(given: Partial<KeyShape> = {}): KeyShape {
  const length = given.length ?? 64
  return { prefix: 'old_', alphabet: LETTERS, length, minLength: length, ...given }
}

describe('a key shape', () => {
  it('is accepted as other issuers write their keys', () => {
    const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
    for (const good of [
      shape(),
      shape({ prefix: '' }),
      shape({ prefix: 'unkey_', alphabet: base58, minLength: 16, length: 22 }),
      shape({ prefix: '', alphabet: HEX, length: 32 }),
      shape({ prefix: 'sk-live-', alphabet: `${BASE62}-_`, length: 43 }),
    ]) {
      expect(keyShapeFault(good)).toBeUndefined()
    }
  })

  it('is worth the bits of its random part: 128 are needed, and the refusal says how many there are', () => {
    expect(keyShapeBits(shape({ alphabet: HEX, length: 32 }))).toBe(128)
    expect(keyShapeFault(shape({ alphabet: HEX, length: 31 }))).toContain('124.0 random bits')
    expect(keyShapeFault(shape({ prefix: 'x'.repeat(64), alphabet: HEX, length: 8 }))).toContain('32.0')
  })

  it('counts the texts of every length it may have, of which the longest are nearly all', () => {
    const exact = keyShapeBits(shape({ length: 23 }))
    expect(keyShapeBits(shape({ minLength: 16, length: 23 })) - exact).toBeLessThan(0.03)
    expect(keyShapeFault(shape({ minLength: 16, length: 22 }))).toContain('125.')
  })

  it('never takes a text that could be a token, nor begins or ends as what is reserved', () => {
    expect(keyShapeFault(shape({ alphabet: `${LETTERS}.` }))).toContain('dot')
    expect(keyShapeFault(shape({ prefix: 'ey.e30.' }))).toContain('dot')
    expect(keyShapeFault(shape({ prefix: 'clv_root_' }))).toContain('reserved')
    expect(keyShapeFault(shape({ prefix: 'clv' }))).toContain('reserved')
    expect(keyShapeFault(shape({ prefix: 'acme_rt_' }))).toContain('reserved')
  })

  it('never takes a text with the form of our own keys, whatever its prefix hides', () => {
    for (const bad of [
      shape({ prefix: 'ck_', alphabet: BASE62, length: 44 }),
      shape({ prefix: 'ck_', alphabet: HEX, length: 44 }),
      shape({ prefix: 'ck_', alphabet: BASE62, minLength: 40, length: 50 }),
      shape({ prefix: '', alphabet: `${BASE62}_`, length: 60 }),
      shape({ prefix: 'a_abc', alphabet: BASE62, length: 41 }),
    ]) {
      expect(keyShapeFault(bad)).toContain("Claviger's own keys")
    }
    // Nobody's prefix is so long, or of capitals.
    expect(
      keyShapeFault(shape({ prefix: `${'a'.repeat(28)}_`, alphabet: BASE62, length: 44 })),
    ).toBeUndefined()
    expect(keyShapeFault(shape({ prefix: 'SK_', alphabet: BASE62, length: 44 }))).toBeUndefined()
  })

  it('that is accepted matches no text of our own form (property)', () => {
    const alphabets = [LETTERS, HEX, BASE62, `${BASE62}_`, '_abc', 'ABC_']
    const shapes = fc
      .record({
        prefix: fc.stringMatching(/^[a-z_A]{0,12}$/),
        alphabet: fc.constantFrom(...alphabets),
        minLength: fc.integer({ min: 20, max: 80 }),
        more: fc.integer({ min: 0, max: 16 }),
      })
      .map(({ minLength, more, ...rest }) => ({ ...rest, minLength, length: minLength + more }))
    const keys = fc
      .tuple(fc.constantFrom('a', 'ck', 'acme_live', 'abc_ab'), fc.stringMatching(/^[0-9A-Za-z]{38}$/))
      .map(([prefix, body]) => formatKeyString(prefix, body.slice(0, 8), body.slice(8)))
    fc.assert(
      fc.property(shapes, fc.array(keys, { maxLength: 3 }), (candidate, texts) => {
        if (keyShapeFault(candidate) !== undefined) return
        const matcher = new KeyShapes([candidate])
        for (const text of texts) expect(matcher.matches(text)).toBe(false)
        // A text made to fit the shape is none of ours either.
        for (let end = candidate.minLength; end <= candidate.length; end++) {
          const body = candidate.alphabet.repeat(end).slice(0, end)
          expect(looksLikeKeyString(candidate.prefix + body)).toBe(false)
        }
      }),
    )
  })

  it.each<[string, Partial<KeyShape>]>([
    ['an empty alphabet', { alphabet: '' }],
    ['one letter', { alphabet: 'a' }],
    ['a letter twice', { alphabet: 'aab' }],
    ['no length', { minLength: 0 }],
    ['lengths the wrong way round', { minLength: 65 }],
    ['lengths far apart', { minLength: 40 }],
    ['a text longer than any key', { length: 255 }],
    ['a space', { prefix: 'a b' }],
    ['letters beyond ASCII', { alphabet: `${LETTERS}é` }],
  ])('is refused with %s', (_, given) => {
    expect(keyShapeFault(shape(given))).toBeTypeOf('string')
  })
})

describe('a text', () => {
  const shapes = new KeyShapes([shape(), shape({ prefix: 'x-', alphabet: 'abc-' })])

  it('matches a shape as a whole, and no other way', () => {
    const good = `old_${'a'.repeat(64)}`
    expect(shapes.matches(good)).toBe(true)
    for (const bad of [`${good}a`, good.slice(1), ` ${good}`, `${good}\n`, `old_${'a'.repeat(63)}1`, '']) {
      expect(shapes.matches(bad)).toBe(false)
    }
  })

  it('is compared letter by letter: what means something in a pattern means itself', () => {
    expect(shapes.matches(`x-${'-'.repeat(64)}`)).toBe(true)
    expect(shapes.matches(`x-${'b'.repeat(64)}`)).toBe(true)
    expect(shapes.matches(`xx${'b'.repeat(64)}`)).toBe(false)
    expect(shapes.matches(`x-${'d'.repeat(64)}`)).toBe(false)
  })

  it('matches nothing where no shape is registered', () => {
    expect(new KeyShapes([]).matches('')).toBe(false)
  })
})
