import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeUtf8 } from './utf8.ts'

test('reads what is UTF-8, and refuses what is not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => {
      const lenient = Buffer.from(bytes).toString('utf8')
      const expected = Buffer.from(lenient, 'utf8').equals(bytes) ? lenient : undefined
      expect(decodeUtf8(bytes)).toBe(expected)
    }),
    { numRuns: 2000 },
  )
})

test('refuses overlong spellings and surrogates', () => {
  expect(decodeUtf8(Uint8Array.of(0xc0, 0xaf))).toBeUndefined()
  expect(decodeUtf8(Uint8Array.of(0xed, 0xa0, 0x80))).toBeUndefined()
})

test('keeps a byte order mark, for the JSON parser to refuse', () => {
  expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b))).toBe('\ufeff{')
})
