import { expect, test } from 'vitest'
import { AUDIENCE, accessClaims, ISSUER, makeKey } from '../../test/credentials.ts'
import { EPOCH } from '../../test/memory-source.ts'
import { TokenSigner } from '../../test/token-signer.ts'
import { formatKeyString } from '../keys/key-string.ts'
import { inspect } from './inspect.ts'
import type { CheckName, Inspection } from './inspection.ts'

const NOW_MS = Date.UTC(2026, 10, 24)
const LOCATOR = 'ABCDEFGH'
const SECRET = '0123456789abcdefghijABCDEFGHIJ'
const signer = new TokenSigner('ES256')
const token = signer.token(accessClaims(NOW_MS, { epoch: EPOCH, number: 1 }))

function failuresOf({ checks }: Inspection): CheckName[] {
  return checks.filter(({ outcome }) => outcome === 'fails').map(({ name }) => name)
}

function outcomeOf({ checks }: Inspection, name: CheckName): string | undefined {
  return checks.find((check) => check.name === name)?.outcome
}

test.each([
  ['ck', 'key', []],
  ['acme_live', 'key', []],
  ['clv_root', 'management_key', []],
  ['clv_mgmt', 'management_key', []],
  ['ck_rt', 'refresh_token', ['purpose']],
] as const)('a text of the prefix %s is a %s', (prefix, kind, failures) => {
  const inspection = inspect({ credential: formatKeyString(prefix, LOCATOR, SECRET) })
  expect(inspection).toMatchObject({ kind, decoded: { prefix, locator: LOCATOR } })
  expect(failuresOf(inspection)).toEqual(failures)
  expect(outcomeOf(inspection, 'revocation')).toBe('unchecked')
})

test('a refresh token is answered with what to do with it', () => {
  const { verdict, checks } = inspect({ credential: formatKeyString('ck_rt', LOCATOR, SECRET) })
  expect(verdict?.code).toBe('unknown')
  expect(checks.find(({ name }) => name === 'purpose')?.remedy?.text).toContain('/v1/sessions/refresh')
})

test.each([
  ['cut off', (key: string) => key.slice(0, -3), 'here are 41'],
  ['lengthened', (key: string) => `${key}xy`, 'here are 46'],
  ['with a foreign character', (key: string) => key.replace(/.$/, '!'), 'something else'],
  ['with its prefix in capitals', (key: string) => key.replace('ck_', 'CK_'), 'small letters'],
  ['with a prefix too long', (key: string) => key.replace('ck_', `${'a'.repeat(25)}_`), 'here are 25'],
  ['without a prefix', (key: string) => key.replace('ck_', '_'), 'small letters'],
])('a key %s is told so, and its secret is not repeated', (_, spoil, detail) => {
  const spoilt = spoil(formatKeyString('ck', LOCATOR, SECRET))
  const inspection = inspect({ credential: spoilt })
  expect(failuresOf(inspection)).toEqual(['form'])
  expect(inspection.verdict?.detail).toContain(detail)
  expect(JSON.stringify(inspection)).not.toContain(SECRET.slice(0, 8))
})

test('a key with a slip in it fails its checksum, and nothing is offered that would fit', () => {
  const slip = formatKeyString('ck', LOCATOR, SECRET).replace('0123', '0124')
  const inspection = inspect({ credential: slip })
  expect(failuresOf(inspection)).toEqual(['checksum'])
  expect(JSON.stringify(inspection)).not.toContain(SECRET.slice(4))
})

test.each([
  ['', 'unrecognised', 'empty'],
  [' \n', 'unrecognised', 'empty'],
  ['hunter2', 'unrecognised', 'neither a key nor a token'],
  ['{"a":1}', 'unrecognised', 'neither a key nor a token'],
  ['{"kty":', 'unrecognised', 'neither a key nor a token'],
  ['-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n', 'pem', 'no credential'],
  ['-----BEGIN EC PRIVATE KEY-----\nMIIB\n-----END EC PRIVATE KEY-----\n', 'pem', 'a private key'],
  ['eyJhbGciOiJSUzI1NiJ9', 'token', 'three parts'],
  ['{"ciphertext":"AAAA","protected":"AAAA"}', 'json_token', 'compact'],
])('%j is %s', (credential, kind, detail) => {
  const inspection = inspect({ credential })
  expect(inspection.kind).toBe(kind)
  const failed = inspection.checks.filter(({ outcome }) => outcome === 'fails')
  expect(failed.map((check) => check.detail).join(' ')).toContain(detail)
  expect(inspection.verdict?.code).toBe('malformed')
})

test('what is no text at all is no credential', () => {
  for (const credential of [undefined, null, 7, {}, []]) {
    expect(inspect({ credential: credential as unknown as string }).verdict?.code).toBe('malformed')
  }
})

test('a token is decoded, and what was not given to check it with stays unchecked', () => {
  const inspection = inspect({ credential: token, nowMs: NOW_MS })
  expect(inspection).toMatchObject({
    kind: 'token',
    decoded: { header: signer.header, payload: { iss: ISSUER } },
  })
  expect(inspection.verdict).toBeUndefined()
  const unchecked = inspection.checks.filter(({ outcome }) => outcome === 'unchecked').map(({ name }) => name)
  expect(unchecked).toEqual([
    'issuer',
    'signing_key',
    'algorithm',
    'signature',
    'audience',
    'revocation',
    'enabled',
    'rights',
  ])
})

test('given keys, issuer and audience, only what the server knows stays unchecked', () => {
  const jwks = { keys: [{ ...signer.publicJwk, kid: signer.id, alg: 'ES256', use: 'sig' }] }
  const given = { credential: token, jwks, issuer: ISSUER, nowMs: NOW_MS }
  for (const audience of [AUDIENCE, ['https://other.example', AUDIENCE], 'any']) {
    const { checks } = inspect({ ...given, audience })
    const unchecked = checks.filter(({ outcome }) => outcome === 'unchecked').map(({ name }) => name)
    expect(unchecked).toEqual(['revocation', 'enabled', 'rights'])
  }
})

test.each([null, 7, 'text', [], {}, { keys: 7 }, { keys: [null, 7, 'x'] }, { keys: [{ kid: {} }] }])(
  'JWKS that is none checks no signature: %j',
  (jwks) => {
    const inspection = inspect({ credential: token, jwks, nowMs: NOW_MS })
    expect(['unchecked', 'fails']).toContain(outcomeOf(inspection, 'signing_key'))
    expect(outcomeOf(inspection, 'signature')).toBe('unchecked')
  },
)

test('without a time, this machine’s clock counts', () => {
  expect(inspect({ credential: signer.token({ exp: 1 }) }).checks).toContainEqual(
    expect.objectContaining({ name: 'expiry', outcome: 'fails' }),
  )
  expect(outcomeOf(inspect({ credential: makeKey().text }), 'expiry')).toBe('unchecked')
})

test('what was wrapped many times over is looked at in bounded time', () => {
  const credential = `${'A='.repeat(2000)}a${'"'.repeat(4000)}b`
  const start = process.cpuUsage()
  inspect({ credential })
  const { user } = process.cpuUsage(start)
  // It took seventy seconds before; any bound far from that will do on any machine.
  expect(user).toBeLessThan(5_000_000)
})
