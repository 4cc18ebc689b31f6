import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KNOWN_CLAIMS, type Payload, payloadOf } from './payload.ts'
import { readPlainObject, readPlainPayload } from './plain-payload.ts'
import { parseStrictJson } from './strict-json.ts'

function plain(json: string): Payload | undefined {
  const bytes = Buffer.from(json)
  return readPlainPayload(bytes.toString('latin1'), bytes)
}

const name = fc.oneof(
  fc.constantFrom(...KNOWN_CLAIMS),
  fc.constantFrom('', 'tenant', 'a', 'constructor', '__proto__', 'hasOwnProperty', '7', 'custom', 'é', 'a"b'),
)
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string().map((text) => JSON.stringify(text)),
    fc.constantFrom('0', '7', '01', '-1', '-0', '1.5', '1e3', '999999999999999', '9007199254740993', '1e999'),
    fc.constantFrom(
      'true',
      'false',
      'null',
      'nul',
      'truefalse',
      '',
      ' 1',
      '"\t"',
      '"\\u0061"',
      '"\x7f"',
      '"é"',
    ),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(name, tie('value')), { maxLength: 3 })
      .map((members) => `{${members.map(([key, item]) => `${JSON.stringify(key)}:${item}`).join(',')}}`),
  ),
}))
const payload = fc
  .array(fc.tuple(name, value), { maxLength: 5 })
  .map((members) => `{${members.map(([key, item]) => `${JSON.stringify(key)}:${item}`).join(',')}}`)

test('the plain reader of objects gives what the strict reader gives, or nothing, whatever the text', () => {
  let given = 0
  fc.assert(
    fc.property(payload, fc.constantFrom('', ' ', '}', 'x'), (json, rest) => {
      const bytes = Buffer.from(json + rest)
      const fast = readPlainObject(bytes.toString('latin1'), bytes)
      if (fast === undefined) return
      given++
      expect(fast).toEqual(parseStrictJson(json + rest))
    }),
    { numRuns: 10_000 },
  )
  expect(given).toBeGreaterThan(500)
})

describe('the plain reader of payloads', () => {
  test('gives what the strict reader gives, or nothing, whatever the text', () => {
    let given = 0
    fc.assert(
      fc.property(payload, (json) => {
        const fast = plain(json)
        if (fast === undefined) return
        given++
        const members = parseStrictJson(json)
        expect(members).toBeDefined()
        expect(fast).toEqual(payloadOf(members ?? {}))
      }),
      { numRuns: 20_000 },
    )
    expect(given).toBeGreaterThan(1000)
  })

  test('gives nothing where a character of a plain payload was changed into something that is no plain payload', () => {
    const json = '{"iss":"a","aud":["b","c"],"exp":17,"realm_access":{"roles":["x"],"on":true},"n":null}'
    expect(plain(json)).toEqual(payloadOf(JSON.parse(json)))
    for (let index = 0; index < json.length; index++) {
      for (const other of ['', '"', '\\', ',', ':', '{', '}', '[', ']', ' ', '0', 'a', '\u0000', 'é']) {
        const changed = json.slice(0, index) + other + json.slice(index + 1)
        const fast = plain(changed)
        if (fast !== undefined) expect(fast).toEqual(payloadOf(parseStrictJson(changed) ?? {}))
      }
    }
  })

  test('gives nothing for a member that stands twice, known, custom or deep inside', () => {
    for (const json of [
      '{"iss":"a","iss":"a"}',
      '{"t":1,"t":1}',
      '{"t":{"a":1,"a":1}}',
      '{"iss":null,"iss":1}',
    ]) {
      expect(plain(json)).toBeUndefined()
    }
  })

  test('gives nothing for what is nested deeply, cut off or followed by more', () => {
    const bytes = Buffer.from('{"a":"b"}}')
    expect(readPlainPayload('{"a":"b"}', bytes)).toEqual(payloadOf({ a: 'b' }))
    expect(readPlainPayload('{"a":"b"', bytes)).toBeUndefined()
    expect(readPlainPayload('{"a":"b"}}', bytes)).toBeUndefined()
    expect(plain(`{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`)).toBeUndefined()
  })

  test('reads usual claims, so that the property above is one of something', () => {
    const json = JSON.stringify({
      iss: 'i',
      sub: 's',
      aud: 'a',
      exp: 1_800_000_600,
      iat: 1,
      roles: ['r'],
      t: 'x',
    })
    expect(plain(json)).toMatchObject({ iss: 'i', exp: 1_800_000_600, roles: ['r'], custom: { t: 'x' } })
  })
})
