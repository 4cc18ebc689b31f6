/**
 * The attacks of `tokens/attacks.test.ts`, inspected: each is answered with the check that fails, as a verifier
 * would answer it, and where a remedy can be applied, what comes of it passes a real verifier.
 */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import * as jose from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { AUDIENCE, accessClaims, ISSUER, makeKey } from '../../test/credentials.ts'
import { MemorySource } from '../../test/memory-source.ts'
import { encodePart, TokenSigner } from '../../test/token-signer.ts'
import { Verifier } from '../verifier/verifier.ts'
import { inspect } from './inspect.ts'
import type { CheckName, Inspection, Remedy } from './inspection.ts'

const rsa = new TokenSigner('RS256')
const ec = new TokenSigner('ES256')
const ed = new TokenSigner('Ed25519')
const stranger = new TokenSigner('RS256', rsa.id)
const signers = [rsa, ec, ed]
const jwks = {
  keys: signers.map(({ publicJwk, id, fact }) => ({ ...publicJwk, kid: id, alg: fact.algorithm })),
}

const source = new MemorySource()
source.facts = [
  ...signers.map((signer) => signer.fact),
  { type: 'issuers', own: [{ url: ISSUER, acceptUntilMs: null }] },
]
const NOW_MS = source.time
const NOW = NOW_MS / 1000
const CLAIMS = accessClaims(NOW_MS, source.position(), { jti: 'tok_1' })
const key = makeKey()
source.keys.set(key.digest, key.record)
let verifier: Verifier

beforeAll(async () => {
  verifier = await Verifier.open({ source, audience: AUDIENCE })
})

function inspectHere(credential: string): Inspection {
  return inspect({ credential, jwks, issuer: ISSUER, audience: AUDIENCE, nowMs: NOW_MS })
}

function failuresOf({ checks }: Inspection): CheckName[] {
  return checks.filter(({ outcome }) => outcome === 'fails').map(({ name }) => name)
}

/** The first check that fails, once the verifier has been asked whether it answers the same. */
async function firstFailure(credential: string): Promise<CheckName | undefined> {
  const inspection = inspectHere(credential)
  const verdict = await verifier.verify({ credential })
  expect(inspection.verdict?.code).toBe(verdict.ok ? undefined : verdict.code)
  for (const check of inspection.checks) {
    expect(check.remedy === undefined, check.name).toBe(check.outcome !== 'fails')
  }
  return failuresOf(inspection)[0]
}

/** Applies every remedy that can be applied, and asks the verifier. */
async function verdictAfterRemedies(credential: string): Promise<string> {
  const remedy: Partial<Remedy> = Object.assign(
    {},
    ...inspectHere(credential).checks.map((check) => check.remedy),
  )
  source.time = remedy.atMs ?? NOW_MS
  const verdict = await verifier.verify({
    credential: remedy.credential ?? credential,
    require: { audience: remedy.audience },
  })
  source.time = NOW_MS
  return verdict.ok ? 'ok' : verdict.code
}

function withClaim(name: string, json: string): string {
  const { [name]: _, ...rest } = CLAIMS
  return rsa.token(JSON.stringify(rest).replace(/\}$/, `,"${name}":${json}}`))
}

const INPUT = `${encodePart(rsa.header)}.${encodePart(CLAIMS)}`

describe('signature', () => {
  test('none in every spelling, and an empty signature', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', ' none', 'none\n', '']) {
      const input = `${encodePart({ ...rsa.header, alg })}.${encodePart(CLAIMS)}`
      expect(await firstFailure(`${input}.${rsa.signature(input)}`)).toBe('alg')
      expect(failuresOf(inspectHere(`${input}.`))).toEqual(['alg', 'signature_encoding'])
    }
    for (const signer of signers) {
      const input = signer.token(CLAIMS).replace(/\.[^.]*$/, '')
      expect(await firstFailure(`${input}.`)).toBe('signature_encoding')
      expect(await firstFailure(input)).toBe('form')
    }
  })

  test('HS256 with our public key, or nothing, as the secret', async () => {
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const der = rsa.publicKey.export({ type: 'spki', format: 'der' })
    for (const secret of [
      pem,
      ` ${pem}`,
      `\t${pem}`,
      `\ufeff${pem}`,
      der,
      JSON.stringify(rsa.publicJwk),
      '',
    ]) {
      const input = `${encodePart({ ...rsa.header, alg: 'HS256' })}.${encodePart(CLAIMS)}`
      const mac = (text: string) => createHmac('sha256', secret).update(text).digest('base64url')
      expect(await firstFailure(`${input}.${mac(input)}`)).toBe('algorithm')
      expect(await firstFailure(`${INPUT}.${mac(INPUT)}`)).toBe('signature')
    }
  })

  test('another algorithm of the key, or a key of another type', async () => {
    for (const alg of ['RS384', 'PS256', 'rs256', 'ES256', '__proto__']) {
      expect(await firstFailure(rsa.token(CLAIMS, { alg }))).toBe('algorithm')
    }
    expect(await firstFailure(rsa.token(CLAIMS, { kid: ec.id }))).toBe('algorithm')
    expect(await firstFailure(rsa.token(CLAIMS, ec.header))).toBe('signature')
  })

  test('r = s = 0, DER, a shortened signature, a stranger’s signature', async () => {
    const input = `${encodePart(ec.header)}.${encodePart(CLAIMS)}`
    const der = sign('sha256', Buffer.from(input), ec.privateKey)
    const raw = Buffer.from(ec.signature(input), 'base64url')
    for (const signature of [Buffer.alloc(64), der, raw.subarray(0, 63)]) {
      expect(await firstFailure(`${input}.${signature.toString('base64url')}`)).toBe('signature')
    }
    expect(await firstFailure(stranger.token(CLAIMS))).toBe('signature')
  })

  test('kid unknown, absent, as path, SQL and URL', async () => {
    for (const kid of [
      'another',
      '../../dev/null',
      "' UNION SELECT 'secret' --",
      'http://127.0.0.1/',
      '__proto__',
    ]) {
      expect(await firstFailure(rsa.token(CLAIMS, { kid }))).toBe('signing_key')
    }
    for (const kid of [undefined, null, '', 7, [rsa.id]]) {
      expect(await firstFailure(rsa.token(CLAIMS, { kid }))).toBe('kid')
    }
  })

  test('embedded jwk, jku, x5u, x5c; crit in every form; b64', async () => {
    for (const member of [
      { jwk: stranger.publicJwk },
      { jku: 'http://127.0.0.1/jwks.json' },
      { x5u: 'http://127.0.0.1/cert.pem' },
      { x5c: ['AAAA'] },
      ...[['exp'], [], ['absent'], 'exp', null].map((crit) => ({ crit })),
      { b64: false, crit: ['b64'] },
    ]) {
      expect(await firstFailure(rsa.token(CLAIMS, member))).toBe('extensions')
      expect(failuresOf(inspectHere(stranger.token(CLAIMS, member)))).toEqual(['extensions', 'signature'])
    }
  })

  test('weak RSA, RSA exponent 1, a private or shared key in the JWKS', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
    for (const jwk of [
      weak,
      { ...rsa.publicJwk, e: 'AQ' },
      rsa.privateKey.export({ format: 'jwk' }),
      { kty: 'oct', k: rsa.publicJwk.n },
      { kty: 'unheard of' },
    ]) {
      const credential = rsa.token(CLAIMS)
      const inspection = inspect({ credential, jwks: { keys: [{ ...jwk, kid: rsa.id }] }, nowMs: NOW_MS })
      expect(failuresOf(inspection)).toEqual(['signing_key'])
    }
  })

  test('JWE around unsigned claims, with zip, PBES2 with a huge count; a JWS with their headers', async () => {
    const encrypted = await new jose.CompactEncrypt(Buffer.from(JSON.stringify(CLAIMS)))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: rsa.id, typ: 'at+jwt' })
      .encrypt(rsa.publicKey)
    const parts = encrypted.split('.').slice(1)
    for (const header of [
      { alg: 'RSA-OAEP-256', enc: 'A256GCM', zip: 'DEF' },
      { alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 2_147_483_647, p2s: 'AAAA' },
    ]) {
      const jwe = [encodePart({ ...header, kid: rsa.id, typ: 'at+jwt' }), ...parts].join('.')
      expect(await firstFailure(jwe)).toBe('form')
      expect(inspectHere(jwe)).toMatchObject({ kind: 'encrypted_token', decoded: { header } })
      expect(await firstFailure(rsa.token(CLAIMS, header))).toBe('extensions')
    }
  })

  test('a token within a token', async () => {
    const nested = rsa.token(rsa.token(CLAIMS), { cty: 'JWT' })
    expect(await firstFailure(nested)).toBe('payload_json')
    expect(inspectHere(nested).verdict?.detail).toContain('nested tokens are not looked into')
  })
})

describe('spelling, whose remedy is the right one', () => {
  const token = ec.token(CLAIMS)
  const [header = '', payload = '', signature = ''] = token.split('.')

  test('JSON serialisation, with and without an unprotected header, becomes compact', async () => {
    const unprotected = { alg: 'none', kid: rsa.id }
    for (const serialised of [
      { protected: header, payload, signature },
      { protected: header, payload, signature, header: unprotected },
      { payload, signatures: [{ protected: header, signature, header: unprotected }] },
    ]) {
      const json = JSON.stringify(serialised, null, 1)
      expect(await firstFailure(json)).toBe('form')
      expect(inspectHere(json).kind).toBe('json_token')
      expect(await verdictAfterRemedies(json)).toBe('ok')
    }
    for (const unsigned of [
      { payload, header: unprotected, signature: '' },
      { protected: header, payload, signature: '' },
      {
        payload,
        signatures: [
          { protected: header, signature },
          { protected: header, signature },
        ],
      },
      { payload: encodePart({ ...CLAIMS, sub: 'root' }), protected: header, signature },
    ]) {
      const json = JSON.stringify(unsigned)
      expect(await firstFailure(json)).toBe('form')
      expect(await verdictAfterRemedies(json)).toBe('malformed')
    }
  })

  test.each<[string, CheckName, string]>([
    ['padding after the header', 'header_encoding', `${header}=.${payload}.${signature}`],
    ['padding after the signature', 'signature_encoding', `${token}==`],
    ['padding as a URL writes it', 'signature_encoding', `${token}%3D%3d`],
    ['blanks around it', 'characters', ` \t${token}\r\n`],
    ['a byte order mark before it', 'characters', `\ufeff${token}`],
    ['lines of an e-mail', 'characters', token.replaceAll(/(.{40})/g, '$1\r\n')],
    ['Bearer before it', 'characters', `Bearer ${token}`],
    ['the whole header of a request', 'characters', `Authorization: bearer  ${token}`],
    ['a line of an .env file', 'characters', `export API_TOKEN="${token}"`],
    ['quotation marks around it', 'characters', `'${token}'`],
    ['the full stop of a sentence', 'form', `${token}.`],
    ['a dot before it', 'form', `.${token}`],
    ['unused bits', 'signature_encoding', token.replace(/.$/, nextCharacter)],
    ['all of it together', 'characters', `Bearer "${header}==.${payload}=\n.${signature}=."\n`],
  ])('%s', async (_, check, text) => {
    expect(await firstFailure(text)).toBe(check)
    expect(await verdictAfterRemedies(text)).toBe('ok')
  })

  test('+ and / become - and _', async () => {
    for (let count = 0, replaced = 0; replaced < 3; count++) {
      const plain = rsa
        .token({ ...CLAIMS, jti: `tok_${count}` })
        .replaceAll('-', '+')
        .replaceAll('_', '/')
      if (!/[+/]/.test(plain)) continue
      expect(['header_encoding', 'payload_encoding', 'signature_encoding']).toContain(
        await firstFailure(plain),
      )
      expect(await verdictAfterRemedies(plain)).toBe('ok')
      replaced++
    }
  })

  test('a text that was altered as well gets no right spelling', async () => {
    for (const text of [
      `${header}?.${payload}.${signature}`,
      `${header}.${payload}\0.${signature}`,
      `${header}.${payload}.${signature}A=`,
      ` ${stranger.token(CLAIMS)}`,
      ` ${rsa.token({ ...CLAIMS, exp: 'never' })}`,
      `${header}.${payload.slice(0, 4)}+${payload.slice(5)}.${signature}`,
      `Bearer ${key.text.slice(0, -1)}`,
      `Bearer ${key.text.replace(/.$/, nextCharacter)}`,
    ]) {
      expect(await firstFailure(text)).toBeDefined()
      expect(inspectHere(text).checks.filter((check) => check.remedy?.credential !== undefined)).toEqual([])
    }
  })

  test('a key with something around it', async () => {
    for (const text of [
      `ACME_KEY=${key.text}\n`,
      `X-Api-Key: ${key.text}`,
      `Bearer ${key.text}`,
      `"${key.text}"`,
    ]) {
      expect(await firstFailure(text)).toBe('characters')
      expect(await verdictAfterRemedies(text)).toBe('ok')
    }
  })
})

describe('claims', () => {
  test.each(['exp', 'nbf', 'iat'])('%s as string, null, array, 1e999, negative', async (name) => {
    for (const json of ['"1800000000"', 'null', '[1800000000]', '-1', '{}', 'true', '1795000000000']) {
      const credential = withClaim(name, json)
      expect(await firstFailure(credential)).toBe(name)
      expect(failuresOf(inspectHere(credential))).toEqual([name])
    }
    expect(await firstFailure(withClaim(name, '1e999'))).toBe('payload_json')
  })

  test('a time in milliseconds is told from seconds', () => {
    const check = inspectHere(withClaim('exp', '1795000000000')).checks.find(({ name }) => name === 'exp')
    expect(check?.remedy?.text).toContain('not milliseconds')
  })

  test.each(['iss', 'sub', 'aud', 'exp', 'iat'])('%s absent', async (name) => {
    expect(await firstFailure(rsa.token({ ...CLAIMS, [name]: undefined }))).toBe(name)
  })

  test('aud [], "", object; another audience, for which a verifier may ask', async () => {
    for (const aud of [[], '', {}, [[AUDIENCE]], null]) {
      expect(await firstFailure(rsa.token({ ...CLAIMS, aud }))).toBe('aud')
    }
    for (const aud of [`${AUDIENCE}/`, AUDIENCE.slice(0, -1), ['https://a.example', 'https://b.example']]) {
      const credential = rsa.token({ ...CLAIMS, aud })
      expect(await firstFailure(credential)).toBe('audience')
      expect(await verdictAfterRemedies(credential)).toBe('ok')
    }
  })

  test('iss one character more or less, or an array; another project’s token', async () => {
    for (const iss of [`${ISSUER}/`, ISSUER.slice(0, -1), ` ${ISSUER}`, `${ISSUER}/p/other`]) {
      expect(await firstFailure(rsa.token({ ...CLAIMS, iss }))).toBe('issuer')
    }
    expect(await firstFailure(rsa.token({ ...CLAIMS, iss: [ISSUER] }))).toBe('iss')
  })

  test('an ID token as access token', async () => {
    for (const typ of [undefined, 'JWT', 'id_token+jwt', 'statuslist+jwt', 7]) {
      expect(await firstFailure(rsa.token({ ...CLAIMS, nonce: 'n' }, { typ }))).toBe('typ')
    }
  })

  test('bad signature and expired: both are named, the signature first', async () => {
    const credential = stranger.token({ ...CLAIMS, exp: NOW - 90 })
    expect(await firstFailure(credential)).toBe('signature')
    expect(failuresOf(inspectHere(credential))).toEqual(['signature', 'expiry'])
    expect(await firstFailure(rsa.token({ ...CLAIMS, exp: NOW - 90 }))).toBe('expiry')
  })

  test('not valid yet: the remedy is to wait, unless it ends before it begins', async () => {
    const soon = rsa.token({ ...CLAIMS, nbf: NOW + 60 })
    expect(await firstFailure(soon)).toBe('start')
    expect(await verdictAfterRemedies(soon)).toBe('ok')
    const never = rsa.token({ ...CLAIMS, nbf: NOW + 6000 })
    expect(await firstFailure(never)).toBe('start')
    expect(await verdictAfterRemedies(never)).toBe('not_yet_valid')
  })

  test('all that is wrong with claims is named at once', () => {
    const credential = rsa.token({
      ...CLAIMS,
      aud: [],
      scope: ['a:b'],
      roles: 'admin',
      permissions: ['*'],
      cnf: 7,
      pos: '1',
    })
    expect(failuresOf(inspectHere(credential))).toEqual([
      'aud',
      'scope',
      'roles',
      'permissions',
      'pos',
      'cnf',
    ])
  })

  test('a token bound to its sender', async () => {
    expect(await firstFailure(rsa.token({ ...CLAIMS, cnf: { jkt: 'AAAA' } }))).toBe('proof')
  })
})

describe('JSON of which two readers could think differently, and size', () => {
  const claims = JSON.stringify(CLAIMS)
  const DEEP = `${'['.repeat(40)}${']'.repeat(40)}`

  test.each([
    ['has the member sub twice', claims.replace('{', '{"sub":"root",')],
    ['has the member sub twice', claims.replace('{', '{"s\\u0075b":"root",')],
    ['begins with a byte order mark', `\ufeff${claims}`],
    ['holds half of a character', claims.replace('{', '{"a":"\\ud83d",')],
    ['has a number that no program can hold', claims.replace('{', '{"a":[1e999],')],
    ['has a member __proto__', claims.replace('{', '{"__proto__":{"permissions":["*:*"]},')],
    ['a quote, a backslash or a control character', claims.replace('{', '{"a\\"b":1,')],
    ['is nested deeper than 32', claims.replace('{', `{"a":${DEEP},`)],
    ['is not JSON', claims.slice(1)],
    ['is JSON, but no object', `[${claims}]`],
  ])('%s', async (fault, json) => {
    const credential = rsa.token(json)
    expect(await firstFailure(credential)).toBe('payload_json')
    expect(inspectHere(credential).verdict?.detail).toContain(fault)
    const asHeader = rsa.tokenOfParts(encodePart(json), encodePart(CLAIMS))
    expect(await firstFailure(asHeader)).toBe('header_json')
  })

  test('what is shown of a payload with __proto__ pollutes nobody who copies it', () => {
    const { decoded } = inspectHere(rsa.token(claims.replace('{', '{"__proto__":{"permissions":["*:*"]},')))
    const copy: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(decoded.payload ?? {})) copy[name] = value
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
  })

  test('bytes that are no UTF-8', async () => {
    const bytes = Buffer.from(claims.replace('{', '{"a":"@",'))
    bytes[bytes.indexOf('@')] = 0xff
    expect(await firstFailure(rsa.tokenOfParts(encodePart(rsa.header), bytes.toString('base64url')))).toBe(
      'payload_json',
    )
  })

  test('a million dots, 10,000 deep, a header of a megabyte are not looked at; as much as fits is, in no time', async () => {
    for (const text of ['.'.repeat(1_000_000), `${'A'.repeat(1_000_000)}.A.A`, 'Bearer '.repeat(10_000)]) {
      expect(await firstFailure(text)).toBe('size')
    }
    const deep = encodePart(`${'['.repeat(2500)}${']'.repeat(2500)}`)
    expect(await firstFailure(`${encodePart(rsa.header)}.${deep}.AAAA`)).toBe('payload_json')
    for (const text of [
      '.'.repeat(8192),
      'Bearer '.repeat(1170),
      '"'.repeat(8192),
      '{'.repeat(8192),
      '='.repeat(8192),
    ]) {
      expect(await firstFailure(text)).toBeDefined()
    }
  })
})

/** Another character of base64url, different in its last bit alone. */
function nextCharacter(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(character) ^ 1)
}
