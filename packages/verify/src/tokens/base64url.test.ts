import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBase64Url, decodeBase64UrlInto, decodedBytes, isBase64Url } from './base64url.ts'

/** Node's decoder is lenient; a text is canonical when encoding what it read gives the text back. */
function oracle(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

const canonical = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes).toString('base64url'))
const unit = fc.constantFrom(...'ABYZabyz0189-_', ...'+/=. \n\0?', 'é', '\u0141', '\u{1f511}')

describe('base64url', () => {
  test('reads what Buffer writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodeBase64Url(Buffer.from(bytes).toString('base64url'))).toEqual(bytes)
      }),
    )
  })

  test('accepts a text exactly when Buffer would write the same, and reads the same bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit, maxLength: 12 }), fc.string()), (text) => {
        const expected = oracle(text)
        const bytes = decodeBase64Url(text)
        expect(bytes === undefined ? undefined : Buffer.from(bytes)).toEqual(expected)
        expect(isBase64Url(text)).toBe(expected !== undefined)
      }),
      { numRuns: 5000 },
    )
  })

  test('judges every text of two characters as Buffer does', () => {
    for (let first = 0; first < 128; first++) {
      for (let second = 0; second < 128; second++) {
        const text = String.fromCharCode(first, second)
        expect(isBase64Url(text)).toBe(oracle(text) !== undefined)
      }
    }
  })

  test('has one text for each sequence of bytes: any other character in a place gives others', () => {
    fc.assert(
      fc.property(canonical, fc.nat(), unit, (text, place, other) => {
        fc.pre(text !== '' && text[place % text.length] !== other)
        const at = place % text.length
        const bytes = decodeBase64Url(text.slice(0, at) + other + text.slice(at + 1))
        if (bytes !== undefined) expect(bytes).not.toEqual(decodeBase64Url(text))
      }),
    )
  })

  test.each(['YQ==', 'YQ=', 'YR', 'YWJ', 'Y', 'YWJjZ', 'YW Jj', 'YWJj\n', '+w', '/w', 'YWJj.', '\u0141QAA'])(
    'refuses %j',
    (text) => {
      expect(decodeBase64Url(text)).toBeUndefined()
    },
  )

  test('decodes a part of one array into a part of another and touches nothing else', () => {
    fc.assert(
      fc.property(canonical, fc.nat(9), fc.nat(9), (text, before, offset) => {
        const source = Buffer.from(`${'.'.repeat(before)}${text}...`)
        const target = new Uint8Array(offset + decodedBytes(text.length) + 5).fill(7)
        const part = target.subarray(offset)
        const length = decodeBase64UrlInto(source, before, before + text.length, part)
        const bytes = Buffer.from(text, 'base64url')
        expect(length).toBe(bytes.length)
        expect([...target]).toEqual([...Array(offset).fill(7), ...bytes, 7, 7, 7, 7, 7])
      }),
    )
  })
})
