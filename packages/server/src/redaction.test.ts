import { inspect } from 'node:util'
import { formatKeyString } from '@claviger/verify'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLog } from './log.ts'
import { redact } from './redaction.ts'

const key = formatKeyString('acme_live', 'AbCdEfGh', 'Zz0123456789abcdefghijklmnopqr')
const refreshToken = formatKeyString(`${'a'.repeat(24)}_rt`, 'AbCdEfGh', 'Zz0123456789abcdefghijklmnopqr')
const token = `${btoa('{"alg":"RS256","typ":"at+jwt"}').replaceAll('=', '')}.${'Q'.repeat(80)}.${'s-_'.repeat(60)}`
const encrypted = `${token}.${'i'.repeat(20)}.${'t'.repeat(22)}`

describe('a credential is hidden', () => {
  test.each([
    ['alone', (secret: string) => secret],
    ['in a sentence', (secret: string) => `The key ${secret}, which was given, is wrong.`],
    ['in an address', (secret: string) => `GET /v1/keys?key=${secret}&limit=1`],
    ['percent-encoded beside others', (secret: string) => `Bearer%20${secret}%0A`],
    ['in JSON', (secret: string) => JSON.stringify({ credential: secret })],
    ['in JSON within JSON', (secret: string) => JSON.stringify(JSON.stringify({ credential: secret }))],
    ['in quotes', (secret: string) => `'${secret}' "${secret}" \`${secret}\``],
    ['glued to a word', (secret: string) => `token=${secret}`],
    ['twice in a row', (secret: string) => `${secret} ${secret}`],
    ['in a stack', (secret: string) => new Error(secret).stack ?? ''],
  ])('%s', (_where, place) => {
    for (const secret of [key, refreshToken, token, encrypted]) {
      const text = redact(place(secret))
      expect(text).toContain('[redacted]')
      for (const part of secret.split(/[._]/)) if (part.length > 12) expect(text).not.toContain(part)
    }
  })

  test('whatever a credential header holds, in every way to write one down', () => {
    const secret = 'anything but a key'
    const headers = { authorization: `Token ${secret}`, 'X-Api-Key': secret, host: 'localhost' }
    const raw = Object.entries(headers).flat()
    for (const text of [
      JSON.stringify(headers),
      JSON.stringify(JSON.stringify(headers)),
      JSON.stringify(raw),
      inspect(headers, { compact: false }),
      inspect(raw, { compact: false }),
      `authorization: Token ${secret}\r\nHost: localhost`,
      `X-API-KEY=${secret}`,
      `Proxy-Authorization: Basic ${secret}`,
    ]) {
      expect(redact(text)).toContain('[redacted]')
      expect(redact(text)).not.toContain(secret)
    }
  })
})

test('whatever a member `credential` holds is hidden, also a key that was issued elsewhere', () => {
  const secret = 'old_00112233445566778899aabbccddeeff00112233'
  const body = { credential: secret, context: { ip: '192.0.2.7' } }
  for (const text of [
    JSON.stringify(body),
    JSON.stringify(JSON.stringify(body)),
    JSON.stringify(body, null, 2),
    inspect(body),
    inspect(body, { compact: false }),
  ]) {
    expect(redact(text)).not.toContain(secret)
    expect(redact(text)).toContain('192.0.2.7')
  }
  expect(redact('The credential: it was wrong, "quoted".')).toBe('The credential: it was wrong, "quoted".')
})

/** Text of base64url in which everything is likely that could be taken for the border of a credential. */
const segment = fc
  .array(
    fc.oneof(fc.constantFrom('ey', '_', '-', 'a_', key.slice(-46)), fc.stringMatching(/^[A-Za-z0-9]{1,44}$/)),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((parts) => parts.join(''))

test('no part of a token stays, whatever its parts look like', () => {
  fc.assert(
    fc.property(segment, segment, segment, segment, (before, head, payload, signature) => {
      const secret = `eyJhbGciOiJSUzI1NiJ9${head}.${payload}.${signature}Zq9Zq9Zq9`
      for (const text of [
        secret,
        `Bearer ${secret}, and`,
        `${before}${secret}`,
        `${before}.${secret}`,
        `${secret}.${before}`,
      ]) {
        expect(redact(text)).not.toContain('Zq9Zq9Zq9')
        expect(redact(text)).not.toContain('eyJhbGci')
      }
    }),
  )
})

test('no part of a key stays, whatever stands around it', () => {
  const secret = fc
    // With the letters that a token begins with in its midst.
    .stringMatching(/^[0-9A-Za-z]{14}ey[0-9A-Za-z]{14}$/)
    .map((text) => formatKeyString('acme_live', 'AbCdEfGh', text))
  fc.assert(
    fc.property(
      secret,
      segment,
      segment,
      fc.constantFrom('.', ' ', '/', '=', '.ey.'),
      (text, before, after, border) => {
        for (const line of [
          text,
          `${before}${border}${text}${border}${after}`,
          `${text}${border}${after}${border}${after}`,
        ]) {
          expect(redact(line)).not.toContain(text.slice(18, 48))
          expect(redact(line)).not.toContain('live_AbCdEfGh')
        }
      },
    ),
  )
})

test('a redacted JSON line is JSON still', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(key, token, 'Bearer "quoted"', '\\'), (before, secret) => {
      const line = JSON.stringify({
        message: before + secret,
        authorization: secret,
        after: [secret, before],
      })
      expect(() => JSON.parse(redact(line))).not.toThrow()
    }),
  )
})

test('what is no credential stays', () => {
  for (const text of [
    '{"requestId":"ac354d64-0","route":"/v1/keys/:id/rotate","caller":"key_01a20f8a17577e8da20475cfdeb6bbac"}',
    'at packages/engine/src/keys/create-key.ts:12:3 (node:internal/process/task_queues:104:5)',
    'The header authorization stands more than once. Send it once.',
    'http://auth.monkey.example/p/acme',
  ]) {
    expect(redact(text)).toBe(text)
  }
})

test('its time is linear in the text', () => {
  for (const unit of [
    'ey',
    'eyA',
    'a_',
    'ey.',
    '.',
    'authorization',
    'authorization:',
    'credential',
    '"credential":"\\',
    '\\',
    ' ',
    'a',
    '_',
  ]) {
    const text = unit.repeat(Math.ceil(200_000 / unit.length))
    const started = performance.now()
    redact(text)
    expect(performance.now() - started, unit).toBeLessThan(1000)
  }
})

test('the log redacts what its own serialisers put into a line', () => {
  const lines: string[] = []
  const log = createLog('info', { write: (line) => void lines.push(line) })
  const error = new Error(`no such key: ${key}`, { cause: new Error(token) })
  log.error({ err: error, headers: { authorization: 'Token secret' }, [key]: token }, `failed with ${key}`)
  expect(lines.join('')).toContain('[redacted]')
  for (const secret of [key, token, 'Token secret']) expect(lines.join('')).not.toContain(secret)
})

test('a token is hidden whose header was written with blanks after its brace', () => {
  for (const header of [
    '{\n "alg":"RS256","typ":"at+jwt","kid":"k"}',
    '{\t"alg":"RS256"}',
    '{\r\n"alg":"ES256"}',
    '{ "alg":"x"}',
  ]) {
    const text = `${Buffer.from(header).toString('base64url')}.${'e30'.repeat(9)}.${'c2ln'.repeat(9)}`
    expect(redact(`before ${text} after`)).toBe('before [redacted] after')
  }
})
