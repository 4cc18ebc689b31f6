import { generateKeyPairSync, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ecdsaFromDer, ecdsaToDer } from './ecdsa-signature.ts'

const integerBytes = fc.constantFrom(32, 48, 66)

/** r and s with many leading zeros and first bits set: what the two spellings differ in. */
const signature = integerBytes.chain((size) => {
  const integer = fc
    .tuple(fc.nat(size - 1), fc.uint8Array({ minLength: size, maxLength: size }))
    .map(([zeros, bytes]) => bytes.fill(0, 0, zeros))
    .filter((bytes) => bytes.some((byte) => byte !== 0))
  return fc.tuple(integer, integer).map(([r, s]) => ({ size, raw: Uint8Array.from([...r, ...s]) }))
})

describe('the two spellings of an ECDSA signature', () => {
  test('lead into each other and back', () => {
    fc.assert(
      fc.property(signature, ({ size, raw }) => {
        const der = ecdsaToDer(raw, size)
        expect(der && ecdsaFromDer(der, size)).toEqual(raw)
      }),
    )
  })

  test.each([
    ['P-256', 'sha256', 32],
    ['P-384', 'sha384', 48],
    ['P-521', 'sha512', 66],
  ])('are what OpenSSL makes and takes for %s', (namedCurve, digest, size) => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve })
    for (let index = 0; index < 50; index++) {
      const text = Buffer.from(`text ${index}`)
      const der = sign(digest, text, privateKey)
      const raw = ecdsaFromDer(der, size)
      if (raw === undefined) throw new Error(`refused ${der.toString('hex')}`)
      expect(verify(digest, text, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw)).toBe(true)
      expect(ecdsaToDer(raw, size)).toEqual(Uint8Array.from(der))
    }
  })

  test('exist only for non-zero r and s of the right length', () => {
    const one = new Uint8Array(64).fill(1)
    expect(ecdsaToDer(one, 32)).toBeDefined()
    expect(ecdsaToDer(new Uint8Array(64), 32)).toBeUndefined()
    expect(ecdsaToDer(Uint8Array.from(one).fill(0, 0, 32), 32)).toBeUndefined()
    expect(ecdsaToDer(Uint8Array.from(one).fill(0, 32), 32)).toBeUndefined()
    for (const length of [0, 63, 65, 96]) {
      expect(ecdsaToDer(new Uint8Array(length).fill(1), 32)).toBeUndefined()
    }
  })

  test('have one DER each: whatever else is read gives the same bytes again', () => {
    const mangled = signature.chain(({ size, raw }) => {
      const der = ecdsaToDer(raw, size) ?? new Uint8Array()
      return fc
        .record({ at: fc.nat(der.length), drop: fc.nat(2), add: fc.uint8Array({ maxLength: 2 }) })
        .map(({ at, drop, add }) => ({ size, der: [...der.slice(0, at), ...add, ...der.slice(at + drop)] }))
    })
    const any = fc.uint8Array({ maxLength: 80 }).map((bytes) => ({ size: 32, der: [...bytes] }))
    fc.assert(
      fc.property(fc.oneof(mangled, any), ({ size, der }) => {
        const bytes = Uint8Array.from(der)
        const raw = ecdsaFromDer(bytes, size)
        if (raw !== undefined) expect(ecdsaToDer(raw, size)).toEqual(bytes)
      }),
      { numRuns: 3000 },
    )
  })

  test.each([
    ['nothing', []],
    ['no sequence', [0x31, 6, 2, 1, 1, 2, 1, 1]],
    ['a zero', [0x30, 6, 2, 1, 0, 2, 1, 1]],
    ['a negative integer', [0x30, 6, 2, 1, 0x80, 2, 1, 1]],
    ['a padded integer', [0x30, 7, 2, 2, 0, 1, 2, 1, 1]],
    ['an empty integer', [0x30, 5, 2, 0, 2, 1, 1]],
    ['a byte too many', [0x30, 6, 2, 1, 1, 2, 1, 1, 0]],
    ['a byte too many inside', [0x30, 7, 2, 1, 1, 2, 1, 1, 0]],
    ['a length in two bytes that fits in one', [0x30, 0x81, 6, 2, 1, 1, 2, 1, 1]],
    ['a length without end', [0x30, 0x80, 2, 1, 1, 2, 1, 1, 0, 0]],
    ['an integer longer than the curve', [0x30, 38, 2, 33, ...Array(33).fill(1), 2, 1, 1]],
    ['an integer that runs out of the sequence', [0x30, 6, 2, 1, 1, 2, 9, 1]],
  ])('do not include %s', (_, der) => {
    expect(ecdsaFromDer(Uint8Array.from(der), 32)).toBeUndefined()
  })
})
