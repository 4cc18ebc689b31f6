import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodePart } from '../../test/token-signer.ts'
import { parseHeader } from './token-header.ts'

const GOOD = { alg: 'RS256', kid: 'k1', typ: 'at+jwt' }

function parse(header: unknown): ReturnType<typeof parseHeader> {
  return parseHeader(encodePart(header))
}

describe('a header', () => {
  test('gives algorithm, key and type, the first time and from the cache', () => {
    for (let time = 0; time < 2; time++) expect(parse(GOOD)).toEqual(GOOD)
  })

  test.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+Jwt'])(
    'may have the typ %s',
    (typ) => {
      expect(parse({ ...GOOD, typ })).toEqual(GOOD)
    },
  )

  test.each([
    undefined,
    null,
    '',
    'JWT',
    'jwt',
    'at+jwt ',
    'text/at+jwt',
    'application/application/at+jwt',
    'logout+jwt',
    'statuslist+jwt',
    'secevent+jwt',
    'dpop+jwt',
    ['at+jwt'],
    7,
  ])('may not have the typ %j', (typ) => {
    expect(parse({ ...GOOD, typ })).toHaveProperty('fault')
  })

  test.each(['alg', 'kid'])('needs %s, a text that is not empty', (name) => {
    for (const value of [undefined, null, '', 0, true, ['RS256'], {}]) {
      expect(parse({ ...GOOD, [name]: value })).toHaveProperty('fault')
    }
  })

  test('may have members that ask for nothing', () => {
    expect(parse({ ...GOOD, x5t: 'AAAA', cty: 'json', iss: 'somebody' })).toEqual(GOOD)
  })

  test('is an object of JSON, once and in canonical base64url', () => {
    for (const text of [
      '',
      'e',
      'e30',
      encodePart('[]'),
      encodePart('null'),
      encodePart('{}{}'),
      `${encodePart(GOOD)}=`,
    ]) {
      expect(parseHeader(text)).toHaveProperty('fault')
    }
    expect(parseHeader(encodePart('{"alg":"RS256","alg":"none","kid":"k1","typ":"at+jwt"}'))).toHaveProperty(
      'fault',
    )
    expect(parseHeader(Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url'))).toHaveProperty('fault')
  })

  test('is read right whatever was read before, however much that was', () => {
    const kids = Array.from({ length: 1000 }, (_, index) => `k${index}`)
    for (const kid of [...kids, ...kids.toReversed()])
      expect(parse({ ...GOOD, kid })).toEqual({ ...GOOD, kid })
    expect(parse({ ...GOOD, kid: 'k0', crit: [] })).toHaveProperty('fault')
  })

  test('never throws, and says nothing of the text in its fault', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue().map(encodePart)), (text) => {
        const header = parseHeader(text)
        if (text.length > 4) expect('fault' in header && header.fault.includes(text)).toBe(false)
      }),
    )
  })
})

test('a header that begins with blanks is refused, for no redactor would know the token', () => {
  for (const blank of [' ', '\n', '\t', '\r']) {
    expect(parse(`${blank}{"alg":"RS256","kid":"k1","typ":"at+jwt"}`)).toHaveProperty('fault')
  }
  expect(parse('{ "alg":"RS256","kid":"k1","typ":"at+jwt"}')).not.toHaveProperty('fault')
})
