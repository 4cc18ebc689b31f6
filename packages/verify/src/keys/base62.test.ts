import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BASE62, encodeBase62 } from './base62.ts'

describe('base62', () => {
  test('has 62 digits: figures, capitals, small letters, in the order of ASCII', () => {
    expect(BASE62).toBe([...new Set(BASE62)].sort().join(''))
    expect(BASE62).toMatch(/^[0-9A-Za-z]{62}$/)
  })

  test.each([
    [0, 6, '000000'],
    [61, 1, 'z'],
    [62, 2, '10'],
    [0xffffffff, 6, '4gfFC3'],
  ])('writes %d in %d digits as %s', (value, length, text) => {
    expect(encodeBase62(value, length)).toBe(text)
  })

  test('reads back as the number that was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 62 ** 6 - 1 }), (value) => {
        const digits = encodeBase62(value, 6)
        expect(digits).toHaveLength(6)
        expect([...digits].reduce((sum, digit) => sum * 62 + BASE62.indexOf(digit), 0)).toBe(value)
      }),
    )
  })
})
