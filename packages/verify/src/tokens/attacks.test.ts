/**
 * Attacks on tokens that succeeded against others, one a test. Each goes to a whole verifier, which trusts
 * three signing keys, and must be refused for the reason given.
 */
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as jose from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { AUDIENCE, accessClaims, ISSUER } from '../../test/credentials.ts'
import { MemorySource } from '../../test/memory-source.ts'
import { encodePart, TokenSigner } from '../../test/token-signer.ts'
import { Verifier } from '../verifier/verifier.ts'
import { prepareVerificationKey } from './verification-key.ts'

const rsa = new TokenSigner('RS256')
const ec = new TokenSigner('ES256')
const ed = new TokenSigner('Ed25519')
const stranger = new TokenSigner('RS256', rsa.id)

const source = new MemorySource()
source.facts = [rsa.fact, ec.fact, ed.fact, { type: 'issuers', own: [{ url: ISSUER, acceptUntilMs: null }] }]
const CLAIMS = accessClaims(source.time, source.position())
let verifier: Verifier

beforeAll(async () => {
  verifier = await Verifier.open({ source, audience: AUDIENCE })
})

/** The code of the verdict, or `ok`. */
async function verdictOn(credential: string): Promise<string> {
  const verdict = await verifier.verify({ credential })
  return verdict.ok ? 'ok' : verdict.code
}

function hmac(signingInput: string, secret: string | Buffer): string {
  return createHmac('sha256', secret).update(signingInput).digest('base64url')
}

test.each([rsa, ec, ed])(
  'a good $algorithm token passes, so that what follows is not refused for nothing',
  async (signer) => {
    expect(await verdictOn(signer.token(CLAIMS))).toBe('ok')
  },
)

test('a good EdDSA token passes under the older name of its algorithm', async () => {
  expect(await verdictOn(ed.token(CLAIMS, { alg: 'EdDSA' }))).toBe('ok')
})

describe('no signature', () => {
  /** Guarantee: what nobody signed is no token, however `none` is spelled and whatever stands for a signature. */
  test('alg none in every spelling', async () => {
    const spellings = ['none', 'None', 'NONE', 'nOnE', ' none', 'none ', 'none\n', 'none\0', 'n\u014fne', '']
    for (let bits = 0; bits < 16; bits++) {
      spellings.push([...'none'].map((c, at) => (bits & (1 << at) ? c.toUpperCase() : c)).join(''))
    }
    for (const alg of spellings) {
      const input = `${encodePart({ ...rsa.header, alg })}.${encodePart(CLAIMS)}`
      for (const signature of ['', 'AA', rsa.signature(input)]) {
        expect(['malformed', 'unknown']).toContain(await verdictOn(`${input}.${signature}`))
      }
    }
  })

  /** Guarantee: an empty signature is no signature, under every algorithm. */
  test('empty signature', async () => {
    for (const signer of [rsa, ec, ed]) {
      const input = signer.token(CLAIMS).replace(/\.[^.]*$/, '')
      expect(await verdictOn(`${input}.`)).toBe('malformed')
      expect(await verdictOn(input)).toBe('malformed')
    }
  })

  /** Guarantee: signatures of zeros, which satisfied Java's ECDSA for every text (CVE-2022-21449), are refused. */
  test('r = s = 0', async () => {
    const input = `${encodePart(ec.header)}.${encodePart(CLAIMS)}`
    const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
    const zero = Buffer.alloc(32)
    const one = Buffer.from(zero).fill(1, 31)
    for (const [r, s] of [
      [zero, zero],
      [zero, one],
      [one, zero],
      [order, order],
      [order, one],
      [one, order],
    ] as const) {
      expect(await verdictOn(`${input}.${Buffer.concat([r, s]).toString('base64url')}`)).toBe('bad_signature')
    }
  })

  /** Guarantee: an ECDSA signature stands in a token as r and s of full length, and in no other form. */
  test('ECDSA signature as DER, shortened, padded', async () => {
    const input = `${encodePart(ec.header)}.${encodePart(CLAIMS)}`
    const der = sign('sha256', Buffer.from(input), ec.privateKey)
    const raw = Buffer.from(ec.signature(input), 'base64url')
    const padded = Buffer.concat([Buffer.alloc(1), raw.subarray(0, 32), Buffer.alloc(1), raw.subarray(32)])
    for (const signature of [
      der,
      raw.subarray(1),
      raw.subarray(0, 63),
      Buffer.concat([raw, Buffer.alloc(1)]),
      padded,
    ]) {
      expect(await verdictOn(`${input}.${signature.toString('base64url')}`)).toBe('bad_signature')
    }
  })
})

describe('the wrong algorithm', () => {
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const pkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  const jwk = rsa.publicKey.export({ format: 'jwk' })
  const secrets: [string, string | Buffer][] = [
    ['PEM', pem],
    ['PEM without its last line feed', pem.trimEnd()],
    ['PEM with Windows line ends', pem.replaceAll('\n', '\r\n')],
    ['PKCS #1 PEM', pkcs1],
    ['DER', rsa.publicKey.export({ type: 'spki', format: 'der' })],
    ['PKCS #1 DER', rsa.publicKey.export({ type: 'pkcs1', format: 'der' })],
    ['JWK text', JSON.stringify(jwk)],
    ['JWK text as it was published', JSON.stringify(rsa.fact.publicJwk)],
    ['modulus', Buffer.from(String(jwk.n), 'base64url')],
    ['PEM behind a space', ` ${pem}`],
    ['PEM behind a tab', `\t${pem}`],
    ['PEM behind a line feed', `\n${pem}`],
    ['PEM behind a byte order mark', `\ufeff${pem}`],
    ['empty secret', ''],
    ['secret of a zero byte', Buffer.alloc(1)],
  ]

  /** Guarantee: the key decides the algorithm; a public key is never taken for a shared secret (RFC 8725, 3.1). */
  test.each(secrets)('HMAC with our public key as the secret: %s', async (_, secret) => {
    for (const alg of ['HS256', 'hs256', 'HS384', 'HS512']) {
      const input = `${encodePart({ ...rsa.header, alg })}.${encodePart(CLAIMS)}`
      expect(await verdictOn(`${input}.${hmac(input, secret)}`)).toBe('unknown')
    }
    const input = `${encodePart(rsa.header)}.${encodePart(CLAIMS)}`
    expect(await verdictOn(`${input}.${hmac(input, secret)}`)).toBe('bad_signature')
  })

  /** Guarantee: a key serves its own algorithm only, not another of its family, nor another spelling of the name. */
  test('another algorithm of the same key', async () => {
    for (const alg of [
      'RS384',
      'RS512',
      'PS256',
      'rs256',
      'RS256 ',
      'RSA-SHA256',
      'ES256',
      'EdDSA',
      '__proto__',
    ]) {
      expect(await verdictOn(rsa.token(CLAIMS, { alg }))).toBe('unknown')
    }
    const pss = await new jose.CompactSign(Buffer.from(JSON.stringify(CLAIMS)))
      .setProtectedHeader({ alg: 'PS256', kid: rsa.id, typ: 'at+jwt' })
      .sign(rsa.privateKey)
    expect(await verdictOn(pss)).toBe('unknown')
    const [, payload, signature] = pss.split('.')
    expect(await verdictOn(`${encodePart(rsa.header)}.${payload}.${signature}`)).toBe('bad_signature')
  })

  /** Guarantee: a header cannot point to a key of another type than its `alg` says. */
  test('kid of a key of another type', async () => {
    for (const signer of [rsa, ec, ed]) {
      for (const other of [rsa, ec, ed].filter((one) => one !== signer)) {
        expect(await verdictOn(signer.token(CLAIMS, { kid: other.id }))).toBe('unknown')
        expect(await verdictOn(signer.token(CLAIMS, { ...other.header }))).toBe('bad_signature')
      }
    }
  })

  /** Guarantee: a signing key that does not fit its algorithm, or is too weak for it, is never put to use. */
  test('key type not fitting, RSA exponent 1, weak RSA, private and symmetric keys', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
    for (const publicJwk of [
      { ...weak },
      { ...rsa.publicJwk, e: 'AQ' },
      { ...rsa.privateKey.export({ format: 'jwk' }) },
      { kty: 'oct', k: rsa.publicJwk.n },
      ec.publicJwk,
    ]) {
      expect(() => prepareVerificationKey({ ...rsa.fact, publicJwk })).toThrow(TypeError)
    }
  })
})

describe('the wrong key', () => {
  /** Guarantee: only a key that the project published counts. */
  test('unknown kid, and none', async () => {
    expect(await verdictOn(rsa.token(CLAIMS, { kid: 'another' }))).toBe('unknown')
    for (const kid of [undefined, null, '', 7, [rsa.id], { id: rsa.id }]) {
      expect(await verdictOn(rsa.token(CLAIMS, { kid }))).toBe('malformed')
    }
  })

  /** Guarantee: a `kid` is a name to look up and nothing else: no path, query, address or property. */
  test('kid as path, SQL, URL, property', async () => {
    for (const kid of [
      '../../../../dev/null',
      '/proc/self/environ',
      "' UNION SELECT 'secret' --",
      'http://127.0.0.1/jwks.json',
      `${rsa.id}\0`,
      `${rsa.id} `,
      rsa.id.toLowerCase(),
      '__proto__',
      'constructor',
      '*',
      '| id',
    ]) {
      expect(await verdictOn(rsa.token(CLAIMS, { kid }))).toBe('unknown')
    }
  })

  /** Guarantee: who names our key but does not have it is told so. */
  test('signed by somebody else under our kid', async () => {
    expect(await verdictOn(stranger.token(CLAIMS))).toBe('bad_signature')
  })

  /** Guarantee: a token brings no key of its own, and nobody is asked for one (RFC 8725, section 3.10). */
  test('embedded jwk, jku, x5u, x5c', async () => {
    let requests = 0
    const server = createServer((_, response) => {
      requests++
      response.end(JSON.stringify({ keys: [{ ...stranger.publicJwk, kid: rsa.id }] }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
    for (const member of [
      { jwk: stranger.publicJwk },
      { jku: url },
      { x5u: url },
      { x5c: [stranger.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] },
      { jwk: null },
    ]) {
      expect(await verdictOn(stranger.token(CLAIMS, member))).toBe('malformed')
      expect(await verdictOn(rsa.token(CLAIMS, member))).toBe('malformed')
    }
    expect(requests).toBe(0)
    await new Promise((resolve) => server.close(resolve))
  })
})

describe('the wrong form', () => {
  /** Guarantee: no extension is understood, so each one that must be is refused (RFC 7515, section 4.1.11). */
  test('crit: unknown, empty, of a member that is absent, of the wrong type; b64', async () => {
    for (const crit of [['exp'], ['b64'], [], ['absent'], ['alg'], ['crit'], 'exp', null, {}, [7]]) {
      expect(await verdictOn(rsa.token(CLAIMS, { crit }))).toBe('malformed')
    }
    expect(await verdictOn(rsa.token(CLAIMS, { b64: false, crit: ['b64'] }))).toBe('malformed')
    expect(await verdictOn(rsa.token(CLAIMS, { b64: true }))).toBe('malformed')
  })

  /** Guarantee: only the compact serialisation is read; nothing outside the signature can name an algorithm. */
  test('JSON serialisation, algorithm from an unprotected header', async () => {
    const [header, payload, signature] = rsa.token(CLAIMS).split('.')
    const unprotected = { alg: 'none', kid: rsa.id }
    for (const serialised of [
      { protected: header, payload, signature },
      { protected: header, payload, signature, header: unprotected },
      { payload, signatures: [{ protected: header, signature, header: unprotected }] },
      { payload, header: unprotected, signature: '' },
    ]) {
      expect(await verdictOn(JSON.stringify(serialised))).toBe('malformed')
    }
  })

  /** Guarantee: encryption to our public key, which anyone can do, is no signature. */
  test('JWE around unsigned claims, with zip, PBES2 with a huge count', async () => {
    const jwe = (header: jose.CompactJWEHeaderParameters): jose.CompactEncrypt =>
      new jose.CompactEncrypt(Buffer.from(JSON.stringify(CLAIMS))).setProtectedHeader({
        ...header,
        kid: rsa.id,
        typ: 'at+jwt',
      })
    const encrypted = await jwe({ alg: 'RSA-OAEP-256', enc: 'A256GCM' }).encrypt(rsa.publicKey)
    expect(await verdictOn(encrypted)).toBe('malformed')
    const parts = encrypted.split('.').slice(1)
    for (const header of [
      { alg: 'RSA-OAEP-256', enc: 'A256GCM', zip: 'DEF', kid: rsa.id, typ: 'at+jwt' },
      {
        alg: 'PBES2-HS512+A256KW',
        enc: 'A256GCM',
        p2c: 2_147_483_647,
        p2s: 'AAAA',
        kid: rsa.id,
        typ: 'at+jwt',
      },
      { alg: 'dir', enc: 'A256GCM', kid: rsa.id, typ: 'at+jwt' },
    ]) {
      expect(await verdictOn([encodePart(header), ...parts].join('.'))).toBe('malformed')
      expect(await verdictOn(rsa.token(CLAIMS, header))).toBe('malformed')
    }
  })

  /** Guarantee: a token within a token is not looked into. */
  test('nested token', async () => {
    const inner = rsa.token(CLAIMS)
    expect(await verdictOn(rsa.token(inner, { cty: 'JWT' }))).toBe('malformed')
    expect(await verdictOn(rsa.token(JSON.stringify(inner), { cty: 'JWT' }))).toBe('malformed')
  })

  /** Guarantee: a token has one text. Two texts of one token would slip past what is kept by text. */
  test('spaces, + / = ? and non-canonical trailing bits in base64url', async () => {
    const token = ec.token({ ...CLAIMS, jti: 'tok_1' })
    const parts = token.split('.')
    const last = (text: string): string =>
      text.replace(/.$/, (c) => {
        const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
        return alphabet.charAt(alphabet.indexOf(c) ^ 1)
      })
    const respell: ((part: string) => string)[] = [
      (part) => `${part}=`,
      (part) => `${part}==`,
      (part) => ` ${part}`,
      (part) => `${part} `,
      (part) => `${part}\n`,
      (part) => `${part.slice(0, 4)}\r\n${part.slice(4)}`,
      (part) => `${part}?`,
      (part) => `${part}\0`,
      (part) => `${part.slice(0, 4)}+${part.slice(5)}`,
      (part) => `${part.slice(0, 4)}/${part.slice(5)}`,
      (part) => encodeURIComponent(`${part}=`),
      (part) => `\ufeff${part}`,
      (part) => `${part}A`,
    ]
    expect(await verdictOn(token)).toBe('ok')
    for (const spelling of respell) {
      for (const at of [0, 1, 2]) {
        const respelled = parts.with(at, spelling(parts[at] ?? '')).join('.')
        expect(['malformed', 'bad_signature']).toContain(await verdictOn(respelled))
      }
    }
    // 64 bytes leave four unused bits in the last character: fifteen other texts of the same signature.
    expect(await verdictOn(parts.with(2, last(parts[2] ?? '')).join('.'))).toBe('malformed')
    for (const around of [
      `${token} `,
      ` ${token}`,
      `${token}.`,
      `.${token}`,
      `${token}\n`,
      `Bearer ${token}`,
    ]) {
      expect(await verdictOn(around)).toBe('malformed')
    }
  })

  /** Guarantee: a member has one value, whoever reads: the last does not win, nor the first. */
  test('members twice in header, payload or deep inside', async () => {
    const header = JSON.stringify(rsa.header)
    const claims = JSON.stringify(CLAIMS)
    const twice = (json: string, member: string): string => encodePart(json.replace(/^\{/, `{${member},`))
    for (const token of [
      rsa.tokenOfParts(twice(header, '"alg":"none"'), encodePart(claims)),
      rsa.tokenOfParts(twice(header, '"kid":"another"'), encodePart(claims)),
      rsa.tokenOfParts(encodePart(header), twice(claims, '"sub":"admin"')),
      rsa.tokenOfParts(encodePart(header), twice(claims, '"\\u0073ub":"admin"')),
      rsa.tokenOfParts(encodePart(header), twice(claims, '"act":{"sub":"a","sub":"b"}')),
    ]) {
      expect(await verdictOn(token)).toBe('malformed')
    }
  })

  /** Guarantee: bytes that are no UTF-8, and halves of surrogate pairs, do not become other text on the way. */
  test('text that is not well-formed', async () => {
    const claims = Buffer.from(JSON.stringify({ ...CLAIMS, sub: '@' }))
    claims[claims.indexOf('@')] = 0xff
    expect(await verdictOn(rsa.tokenOfParts(encodePart(rsa.header), claims.toString('base64url')))).toBe(
      'malformed',
    )
    expect(await verdictOn(rsa.token({ ...CLAIMS, sub: '\ud83d' }))).toBe('malformed')
    expect(await verdictOn(rsa.token(`\ufeff${JSON.stringify(CLAIMS)}`))).toBe('malformed')
  })

  /** Guarantee: a claim called `__proto__` gives nothing to anybody. */
  test('prototype pollution', async () => {
    const claims = JSON.stringify(CLAIMS).replace(/^\{/, '{"__proto__":{"permissions":["*:*"]},')
    expect(await verdictOn(rsa.token(claims))).toBe('malformed')
    expect(({} as Record<string, unknown>).permissions).toBeUndefined()
  })
})

describe('the wrong claims', () => {
  const wrongTimes = ['"1800000000"', 'null', '[1800000000]', '1e999', '-1', '{}', 'true', '""']

  /** Guarantee: a time is a number that can be compared; what cannot be is never taken for "no limit". */
  test.each(['exp', 'nbf', 'iat'])('%s as string, null, array, 1e999, negative', async (name) => {
    for (const value of wrongTimes) {
      const { [name]: _, ...rest } = CLAIMS
      const claims = JSON.stringify(rest).replace(/\}$/, `,"${name}":${value}}`)
      expect(await verdictOn(rsa.token(claims))).toBe('malformed')
    }
  })

  /** Guarantee: a token without an end, an issuer, a subject, an audience is none. */
  test.each(['iss', 'sub', 'aud', 'exp', 'iat'])('%s absent', async (name) => {
    expect(await verdictOn(rsa.token({ ...CLAIMS, [name]: undefined }))).toBe('malformed')
  })

  /** Guarantee: an audience that is empty, or no text, is not an audience that fits everybody. */
  test('aud [], "", object', async () => {
    for (const aud of [[], '', {}, { [AUDIENCE]: true }, [[AUDIENCE]], [AUDIENCE, 7], null, true]) {
      expect(await verdictOn(rsa.token({ ...CLAIMS, aud }))).toBe('malformed')
    }
    for (const aud of [
      `${AUDIENCE}/`,
      AUDIENCE.slice(0, -1),
      AUDIENCE.toUpperCase(),
      `${AUDIENCE} ${AUDIENCE}`,
    ]) {
      expect(await verdictOn(rsa.token({ ...CLAIMS, aud }))).toBe('wrong_audience')
    }
  })

  /** Guarantee: an issuer is compared whole. */
  test('iss one character more or less, or an array', async () => {
    for (const iss of [`${ISSUER}/`, ISSUER.slice(0, -1), ISSUER.toUpperCase(), ` ${ISSUER}`]) {
      expect(await verdictOn(rsa.token({ ...CLAIMS, iss }))).toBe('unknown')
    }
    for (const iss of [[ISSUER], {}, null, '', 7]) {
      expect(await verdictOn(rsa.token({ ...CLAIMS, iss }))).toBe('malformed')
    }
  })

  /** Guarantee: what was signed for another purpose does not pass for an access token (RFC 8725, section 3.11). */
  test('ID token, status list, logout token, security event as access token', async () => {
    for (const typ of [
      undefined,
      'JWT',
      'jwt',
      'id_token+jwt',
      'statuslist+jwt',
      'logout+jwt',
      'secevent+jwt',
    ]) {
      expect(await verdictOn(rsa.token({ ...CLAIMS, nonce: 'n', at_hash: 'h' }, { typ }))).toBe('malformed')
    }
  })

  /** Guarantee: of two things wrong with a token the first in the order of verdicts is the one answer. */
  test('bad signature and expired', async () => {
    const exp = Number(CLAIMS.iat) - 1
    expect(await verdictOn(stranger.token({ ...CLAIMS, exp }))).toBe('bad_signature')
    expect(await verdictOn(rsa.token({ ...CLAIMS, exp }))).toBe('expired')
    expect(await verdictOn(stranger.token({ ...CLAIMS, exp: 'never' }))).toBe('malformed')
  })

  /** Guarantee: rights of the wrong type are no rights, and no token. */
  test('scope, roles and permissions of the wrong type', async () => {
    for (const claims of [
      { scope: ['documents:read'] },
      { scope: null },
      { roles: 'admin' },
      { roles: { admin: true } },
      { permissions: '*:*' },
      { permissions: ['*'] },
      { permissions: [['*:*']] },
    ]) {
      expect(await verdictOn(rsa.token({ ...CLAIMS, ...claims }))).toBe('malformed')
    }
  })
})

describe('size', () => {
  /** Guarantee: what is too long is not looked at. The test ends in no time, or not at all. */
  test('a million dots, a header of a megabyte, a signature of a megabyte', async () => {
    const [header, payload, signature] = rsa.token(CLAIMS).split('.')
    for (const text of [
      '.'.repeat(1_000_000),
      '.'.repeat(8192),
      `${'A'.repeat(1_000_000)}.${payload}.${signature}`,
      `${header}.${'A'.repeat(1_000_000)}.${signature}`,
      `${header}.${payload}.${'A'.repeat(1_000_000)}`,
      `${header}.${payload}.${'A'.repeat(7000)}=`,
    ]) {
      expect(await verdictOn(text)).toBe('malformed')
    }
    expect(await verdictOn(`${header}.${payload}.${'AAAA'.repeat(1700)}`)).toBe('bad_signature')
  })

  /** Guarantee: deep nesting is refused, not walked until the stack ends. */
  test('JSON 10,000 deep, and as deep as fits', async () => {
    for (const depth of [10_000, 2_500, 1_000, 33]) {
      const nested = `${'['.repeat(depth)}${']'.repeat(depth)}`
      const claims = JSON.stringify(CLAIMS).replace(/\}$/, `,"deep":${nested}}`)
      expect(await verdictOn(rsa.token(claims))).toBe('malformed')
    }
  })

  /** Guarantee: headers that are all different cost memory only up to a bound, and change no other token. */
  test('10,000 different headers', async () => {
    const payload = encodePart(CLAIMS)
    for (let index = 0; index < 10_000; index++) {
      const header = encodePart({ ...rsa.header, kid: randomBytes(8).toString('hex') })
      expect(await verdictOn(`${header}.${payload}.AAAA`)).toBe('unknown')
    }
    expect(await verdictOn(rsa.token(CLAIMS))).toBe('ok')
  })
})

describe('caches', () => {
  /** Guarantee: what is remembered of one token is never the answer to another. */
  test('tokens with one prefix, tokens that differ in one claim or in the last character', async () => {
    const good = rsa.token({ ...CLAIMS, jti: 'tok_a' })
    expect(await verdictOn(good)).toBe('ok')
    expect(await verdictOn(good)).toBe('ok')
    const [header, payload, signature] = good.split('.')
    const other = encodePart({ ...CLAIMS, jti: 'tok_b' })
    expect(await verdictOn(`${header}.${other}.${signature}`)).toBe('bad_signature')
    const swapped = String(signature).replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))
    expect(await verdictOn(`${header}.${payload}.${swapped}`)).toBe('bad_signature')
    expect(['malformed', 'bad_signature']).toContain(await verdictOn(good.slice(0, -4)))
    expect(await verdictOn(`${header}.${payload}`)).toBe('malformed')
  })

  /** Guarantee: V8's memory of names (nodejs/node issue 63785) does not let a refused token alter the next. */
  test('a refused token that poisons the reading of names', async () => {
    const poison = JSON.stringify(CLAIMS).replace('"sub"', '"s\\\\"')
    const escaped = JSON.stringify(CLAIMS).replace('"sub"', '"s\\u0075b"')
    for (let time = 0; time < 3; time++) {
      expect(await verdictOn(stranger.token(poison))).toBe('malformed')
      expect(await verdictOn(rsa.token(escaped))).toBe('ok')
    }
  })
})
