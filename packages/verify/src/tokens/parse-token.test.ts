import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodePart, TokenSigner } from '../../test/token-signer.ts'
import { MAX_CREDENTIAL_BYTES, type ParsedToken, parseToken } from './parse-token.ts'
import { payloadOf } from './payload.ts'
import { prepareVerificationKey } from './verification-key.ts'

const signer = new TokenSigner('ES256')
const key = prepareVerificationKey(signer.fact)
const CLAIMS = { iss: 'https://issuer.example', sub: 'søren', n: [1, { a: null }] }
const TOKEN = signer.token(CLAIMS)

function parsed(text: string): ParsedToken {
  const token = parseToken(text)
  if ('fault' in token) throw new Error(token.fault)
  return token
}

/** Whether a text passes as a token of the signer. */
function passes(text: string): boolean {
  const token = parseToken(text)
  return !('fault' in token) && key.verify(token.signingInput, token.signature) === true
}

describe('a token', () => {
  test('is taken apart into header, payload, what was signed, and the signature', () => {
    const token = parsed(TOKEN)
    expect(token.header).toEqual(signer.header)
    expect(token.payload).toEqual(payloadOf(CLAIMS))
    expect(`${token.signingInput}.${Buffer.from(token.signature).toString('base64url')}`).toBe(TOKEN)
    expect(passes(TOKEN)).toBe(true)
  })

  test('keeps what it says when others are taken apart after it, but for the bytes', () => {
    const tokens = Array.from({ length: 3000 }, (_, index) => ({ index, text: signer.token({ index }) }))
    const all = tokens.map(({ index, text }) => ({ index, text, token: parsed(text) }))
    for (const { index, text, token } of all) {
      expect(token.payload).toEqual(payloadOf({ index }))
      expect(text.startsWith(`${token.signingInput}.`)).toBe(true)
    }
  })

  test('with any character changed, added or removed does not pass', () => {
    const unit = fc.constantFrom(...'ABCDXYZabcdxyz0189-_.=+/ \n', '\0', 'é', '\u0141')
    const slip = fc.record({
      at: fc.nat(TOKEN.length),
      drop: fc.nat(1),
      add: fc.string({ unit, maxLength: 1 }),
    })
    fc.assert(
      fc.property(slip, ({ at, drop, add }) => {
        const text = TOKEN.slice(0, at) + add + TOKEN.slice(at + drop)
        fc.pre(text !== TOKEN)
        expect(passes(text)).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  test('has each last character of a part in one spelling only', () => {
    const ends = [TOKEN.indexOf('.') - 1, TOKEN.lastIndexOf('.') - 1, TOKEN.length - 1]
    for (const end of ends) {
      for (const other of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
        const text = TOKEN.slice(0, end) + other + TOKEN.slice(end + 1)
        expect(passes(text)).toBe(text === TOKEN)
      }
    }
  })

  test('is what it says, canonically, or a fault, whatever the text; nothing throws', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constant(encodePart(signer.header)),
      fc.jsonValue().map(encodePart),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64url')),
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
    )
    let taken = 0
    fc.assert(
      fc.property(text, (text) => {
        const token = parseToken(text)
        if ('fault' in token) return
        taken++
        const parts = text.split('.')
        expect(parts).toHaveLength(3)
        for (const one of parts) expect(Buffer.from(one, 'base64url').toString('base64url')).toBe(one)
        expect(token.signingInput).toBe(`${parts[0]}.${parts[1]}`)
        expect(Buffer.from(token.signature).toString('base64url')).toBe(parts[2])
      }),
      { numRuns: 5000 },
    )
    expect(taken).toBeGreaterThan(0)
  })

  test('says nothing of itself in a fault', () => {
    const secret = encodePart({ sub: 'hush' })
    for (const text of [
      `${secret}.${secret}.${secret}`,
      `${encodePart(signer.header)}.${secret}.+`,
      secret,
    ]) {
      const token = parseToken(text)
      expect('fault' in token && token.fault).toBeTruthy()
      expect(JSON.stringify(token)).not.toMatch(new RegExp(`hush|${secret}`))
    }
  })

  test('is 8,192 bytes long at most', () => {
    const [header = '', , signature = ''] = TOKEN.split('.')
    const room = MAX_CREDENTIAL_BYTES - header.length - signature.length - 2
    // The payload that fills the room, up to a character.
    const payload = encodePart(
      JSON.stringify({ a: '' }).replace('""', `"${'x'.repeat(Math.floor((room * 3) / 4) - 8)}"`),
    )
    const longest = `${header}.${payload}.${signature}`
    expect(MAX_CREDENTIAL_BYTES - longest.length).toBeLessThanOrEqual(1)
    expect(parseToken(longest)).toHaveProperty('payload')
    expect(parseToken(`${header}.${'A'.repeat(room + 1)}.${signature}`)).toEqual({
      fault: 'The token is longer than 8192 bytes.',
    })
  })

  test('is ASCII: 8,192 characters of more than a byte do not overrun', () => {
    for (const letter of ['é', '\u2028', '\u{1f511}', '\ud800']) {
      const text = `a.${letter.repeat(4000)}.b`
      expect(parseToken(text)).toEqual({ fault: 'A token is ASCII.' })
    }
  })
})
