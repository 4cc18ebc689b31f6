/**
 * Attacks on the signature, one a test, under every algorithm of the table. Each goes to a whole verifier, which
 * trusts a key of each, and must be refused for the reason given.
 */
import { createHmac, type KeyObject, randomBytes, sign } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodePart, TokenSigner } from '../../test/token-signer.ts'
import { openTrusting, type Trusting } from '../../test/trusting-verifier.ts'
import { ALGORITHMS, type SigningAlgorithm } from './algorithms.ts'
import { HEADER_ALGORITHMS } from './header-algorithms.ts'
import { SIGNING_TRAITS } from './signing-traits.ts'

const NAMES = Object.keys(ALGORITHMS) as SigningAlgorithm[]
const SIGNERS = NAMES.map((algorithm) => new TokenSigner(algorithm))
const hmacSigner = SIGNERS.find(({ algorithm }) => algorithm === 'HS256') ?? new TokenSigner('HS256')

let trusting: Trusting

beforeAll(async () => {
  trusting = await openTrusting(SIGNERS)
})

/** The order of each curve (FIPS 186-4, appendix D.1.2): r and s lie below it. */
const ORDERS: Readonly<Record<string, string>> = {
  ES256: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  ES384: `${'f'.repeat(48)}c7634d81f4372ddf581a0db248b0a77aecec196accc52973`,
  ES512: `01${'f'.repeat(65)}a51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`,
}

/** Everything about a signer that anybody may read, as those who mistake it for a secret would use it. */
function publicTexts(signer: TokenSigner): [string, string | Buffer][] {
  const jwk = JSON.stringify(signer.publicJwk)
  const published: [string, string | Buffer][] = [
    ['JWK text', jwk],
    ['JWK text behind a space', ` ${jwk}`],
    ['JWK as it would be published', JSON.stringify({ ...signer.publicJwk, kid: signer.id, use: 'sig' })],
    ['kid', signer.id],
    ['empty secret', ''],
    ['secret of a zero byte', Buffer.alloc(1)],
    ['secret of 32 zero bytes', Buffer.alloc(32)],
  ]
  return ALGORITHMS[signer.algorithm].symmetric ? published : [...published, ...spellings(signer.publicKey)]
}

function spellings(key: KeyObject): [string, string | Buffer][] {
  const pem = key.export({ type: 'spki', format: 'pem' }).toString()
  const der = key.export({ type: 'spki', format: 'der' })
  return [
    ['PEM', pem],
    ['PEM without its last line feed', pem.trimEnd()],
    ['PEM with Windows line ends', pem.replaceAll('\n', '\r\n')],
    ['PEM behind a space', ` ${pem}`],
    ['PEM behind a tab', `\t${pem}`],
    ['PEM behind a line feed', `\n${pem}`],
    ['PEM behind a byte order mark', `\ufeff${pem}`],
    ['DER', der],
    ['DER in base64', der.toString('base64')],
    ...Object.entries(key.export({ format: 'jwk' })).map(([name, value]): [string, Buffer] => [
      `bytes of the member ${name}`,
      Buffer.from(String(value), 'base64url'),
    ]),
  ]
}

function hmac(signingInput: string, secret: string | Buffer): string {
  return createHmac('sha256', secret).update(signingInput).digest('base64url')
}

describe.each(SIGNERS)('$algorithm', (signer) => {
  const traits = ALGORITHMS[signer.algorithm]
  const stranger = new TokenSigner(signer.algorithm, signer.id)
  const inputOf = (header: Record<string, unknown> = {}): string =>
    `${encodePart({ ...signer.header, ...header })}.${encodePart(trusting.claims)}`

  test('a good token passes, so that what follows is not refused for nothing', async () => {
    for (const alg of traits.acceptedNames) {
      expect(await trusting.verdictOn(signer.token(trusting.claims, { alg }))).toBe('ok')
    }
  })

  /** Guarantee: what nobody signed is no token, however `none` is spelled and whatever stands for a signature. */
  test('alg none', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', ' none', 'none ', 'none\0', '']) {
      const input = inputOf({ alg })
      for (const signature of ['', 'AA', signer.signature(input)]) {
        expect(['malformed', 'unknown']).toContain(await trusting.verdictOn(`${input}.${signature}`))
      }
    }
  })

  /** Guarantee: an empty signature is no signature. */
  test('empty signature', async () => {
    expect(await trusting.verdictOn(`${inputOf()}.`)).toBe('malformed')
    expect(await trusting.verdictOn(inputOf())).toBe('malformed')
  })

  /** Guarantee: no constant is a signature, nor is one with a byte more or less (CVE-2022-21449 took zeros). */
  test('constant, shortened, padded signature', async () => {
    const input = inputOf()
    const good = Buffer.from(signer.signature(input), 'base64url')
    for (const signature of [
      ...[0, 1, 0x7f, 0x80, 0xff].map((byte) => Buffer.alloc(good.length, byte)),
      randomBytes(good.length),
      good.subarray(1),
      good.subarray(0, -1),
      good.subarray(0, good.length / 2),
      Buffer.concat([good, Buffer.alloc(1)]),
      Buffer.concat([Buffer.alloc(1), good]),
      Buffer.concat([good, good.subarray(0, 32)]),
    ]) {
      expect(await trusting.verdictOn(`${input}.${signature.toString('base64url')}`)).toBe('bad_signature')
    }
  })

  /** Guarantee: the key decides the algorithm; its public part is never taken for a shared secret (RFC 8725, 3.1). */
  test('HMAC with what is public of our key as the secret', async () => {
    for (const [name, secret] of publicTexts(signer)) {
      for (const alg of ['HS256', 'hs256', 'HS384', 'HS512']) {
        const verdict = await trusting.verdictOn(`${inputOf({ alg })}.${hmac(inputOf({ alg }), secret)}`)
        expect([name, verdict]).toEqual([name, alg === signer.algorithm ? 'bad_signature' : 'unknown'])
      }
      const ownName = await trusting.verdictOn(`${inputOf()}.${hmac(inputOf(), secret)}`)
      expect([name, ownName]).toEqual([name, 'bad_signature'])
      const underOurHmacKey = inputOf({ ...hmacSigner.header })
      const elsewhere = await trusting.verdictOn(`${underOurHmacKey}.${hmac(underOurHmacKey, secret)}`)
      expect([name, elsewhere]).toEqual([name, 'bad_signature'])
    }
  })

  /** Guarantee: a key serves its own algorithm only, not another of its family, nor another spelling of the name. */
  test('another algorithm of the same key', async () => {
    const others = HEADER_ALGORITHMS.filter((name) => !traits.acceptedNames.includes(name))
    for (const alg of [...others, signer.algorithm.toLowerCase(), `${signer.algorithm} `, '__proto__']) {
      expect(await trusting.verdictOn(signer.token(trusting.claims, { alg }))).toBe('unknown')
    }
  })

  /** Guarantee: a header cannot point to a key of another algorithm than its `alg` says. */
  test('kid of a key of another algorithm', async () => {
    for (const other of SIGNERS.filter((one) => one !== signer)) {
      expect(await trusting.verdictOn(signer.token(trusting.claims, { kid: other.id }))).toBe('unknown')
      expect(await trusting.verdictOn(signer.token(trusting.claims, { ...other.header }))).toBe(
        'bad_signature',
      )
    }
  })

  /** Guarantee: who names our key but does not have it is told so, also when the token is expired. */
  test('signed by somebody else under our kid', async () => {
    expect(await trusting.verdictOn(stranger.token(trusting.claims))).toBe('bad_signature')
    const expired = { ...trusting.claims, exp: Number(trusting.claims.iat) - 1 }
    expect(await trusting.verdictOn(stranger.token(expired))).toBe('bad_signature')
    expect(await trusting.verdictOn(signer.token(expired))).toBe('expired')
  })

  /** Guarantee: a `kid` is a name to look up and nothing else. */
  test('kid as path, SQL, URL, property', async () => {
    for (const kid of ['/dev/null', "' OR 1=1 --", 'http://127.0.0.1/', `${signer.id} `, '__proto__', '*']) {
      expect(await trusting.verdictOn(signer.token(trusting.claims, { kid }))).toBe('unknown')
    }
  })

  /** Guarantee: a token brings no key of its own (RFC 8725, section 3.10), and no extension is understood. */
  test('embedded jwk, jku, x5u, x5c; crit; b64; zip', async () => {
    for (const member of [
      { jwk: stranger.publicJwk },
      { jku: 'https://attacker.example/jwks.json' },
      { x5u: 'https://attacker.example/cert.pem' },
      { x5c: ['AAAA'] },
      { crit: ['exp'] },
      { crit: [] },
      { crit: ['b64'], b64: false },
      { b64: true },
      { zip: 'DEF' },
    ]) {
      expect(await trusting.verdictOn(signer.token(trusting.claims, member))).toBe('malformed')
      expect(await trusting.verdictOn(stranger.token(trusting.claims, member))).toBe('malformed')
    }
  })

  /** Guarantee: only the compact serialisation is read; nothing outside the signature can name an algorithm. */
  test('JSON serialisation, algorithm from an unprotected header', async () => {
    const [header, payload, signature] = signer.token(trusting.claims).split('.')
    const unprotected = { alg: signer.algorithm, kid: signer.id }
    for (const serialised of [
      { protected: header, payload, signature },
      { protected: header, payload, signature, header: unprotected },
      { payload, signatures: [{ protected: header, signature, header: unprotected }] },
    ]) {
      expect(await trusting.verdictOn(JSON.stringify(serialised))).toBe('malformed')
    }
  })

  /** Guarantee: a signature has one text. Two texts of one token would slip past what is kept by text. */
  test('signature in another spelling of base64url', async () => {
    const token = signer.token(trusting.claims)
    const end = token.lastIndexOf('.') + 1
    const signature = token.slice(end)
    const bytes = Buffer.from(signature, 'base64url')
    for (const spelling of [
      `${signature}=`,
      `${signature} `,
      ` ${signature}`,
      `${signature}\n`,
      `${signature}?`,
      `${signature}\0`,
      `${signature.slice(0, 5)}\r\n${signature.slice(5)}`,
      `+${signature.slice(1)}`,
      `/${signature.slice(1)}`,
    ]) {
      expect(await trusting.verdictOn(token.slice(0, end) + spelling)).toBe('malformed')
    }
    // Where bits of the last character are unused, other characters decode to the same bytes.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const twins = [...alphabet]
      .map((last) => signature.slice(0, -1) + last)
      .filter((text) => text !== signature && Buffer.from(text, 'base64url').equals(bytes))
    expect(twins).toHaveLength([0, 15, 3][bytes.length % 3] ?? -1)
    for (const twin of twins) expect(await trusting.verdictOn(token.slice(0, end) + twin)).toBe('malformed')
  })
})

describe.each(SIGNERS.filter(({ algorithm }) => algorithm in ORDERS))('$algorithm', (signer) => {
  const inputOf = (): string => `${encodePart(signer.header)}.${encodePart(trusting.claims)}`

  /** Guarantee: r and s lie from 1 to below the curve's order (CVE-2022-21449). */
  test('r or s of 0 or of the order', async () => {
    const order = Buffer.from(ORDERS[signer.algorithm] ?? '', 'hex')
    const zero = Buffer.alloc(order.length)
    const one = Buffer.from(zero).fill(1, order.length - 1)
    for (const r of [zero, one, order]) {
      for (const s of [zero, one, order]) {
        const signature = Buffer.concat([r, s]).toString('base64url')
        expect(await trusting.verdictOn(`${inputOf()}.${signature}`)).toBe('bad_signature')
      }
    }
  })

  /** Guarantee: an ECDSA signature stands in a token as r and s of full length, and in no other form. */
  test('signature as DER', async () => {
    const der = sign(SIGNING_TRAITS[signer.algorithm].digest, Buffer.from(inputOf()), signer.privateKey)
    expect(await trusting.verdictOn(`${inputOf()}.${der.toString('base64url')}`)).toBe('bad_signature')
  })
})
