import { createSecretKey, generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TokenSigner } from '../../test/token-signer.ts'
import { ALGORITHMS, type SigningAlgorithm } from './algorithms.ts'
import { prepareVerificationKey } from './verification-key.ts'

const NAMES = Object.keys(ALGORITHMS) as SigningAlgorithm[]
const SIGNERS = NAMES.map((algorithm) => new TokenSigner(algorithm))
const [rsa, ec, ed, hmac, mlDsa] = [
  signerOf('RS256'),
  signerOf('ES256'),
  signerOf('Ed25519'),
  signerOf('HS256'),
  signerOf('ML-DSA-65'),
]

function signerOf(algorithm: SigningAlgorithm): TokenSigner {
  return SIGNERS.find((signer) => signer.algorithm === algorithm) ?? new TokenSigner(algorithm)
}

function prepare(algorithm: SigningAlgorithm, publicJwk: Record<string, unknown>): unknown {
  return prepareVerificationKey({ id: 'k', algorithm, publicJwk })
}

function ecJwk(namedCurve: string): Record<string, unknown> {
  return { ...generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' }) }
}

function rsaJwk(modulusLength: number, publicExponent = 0x10001): Record<string, unknown> {
  return {
    ...generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({ format: 'jwk' }),
  }
}

describe('a verification key', () => {
  test.each(SIGNERS)('is prepared from a fitting JWK: $algorithm', (signer) => {
    const key = prepareVerificationKey(signer.fact)
    expect(key).toMatchObject({ id: signer.id, algorithm: signer.algorithm })
  })

  test('may say what it is for, if that is this', () => {
    const more = { use: 'sig', key_ops: ['verify'], kid: 'k' }
    expect(prepare('RS256', { ...rsa.publicJwk, ...more, alg: 'RS256' })).toBeDefined()
    expect(prepare('Ed25519', { ...ed.publicJwk, ...more, alg: 'EdDSA' })).toBeDefined()
  })

  test('says its algorithm where that is a part of the key (RFC 9964)', () => {
    const { alg, ...bare } = mlDsa.publicJwk
    expect(alg).toBe('ML-DSA-65')
    for (const wrong of [bare, { ...bare, alg: 'ML-DSA-87' }, { ...bare, alg: null }]) {
      expect(() => prepare('ML-DSA-65', wrong)).toThrow(TypeError)
    }
  })

  test('of ML-DSA-65 has the length of one', () => {
    const pub = String(mlDsa.publicJwk.pub)
    for (const wrong of [pub.slice(4), `${pub}AAAA`, 'AAAA']) {
      expect(() => prepare('ML-DSA-65', { ...mlDsa.publicJwk, pub: wrong })).toThrow('1952 bytes')
    }
  })

  test.each([
    ['use', { use: 'enc' }],
    ['key_ops', { key_ops: ['sign'] }],
    ['key_ops that is no list', { key_ops: 'verify' }],
    ['alg', { alg: 'PS256' }],
    ['alg of no type', { alg: null }],
  ])('is refused when its JWK is for something else: %s', (_, more) => {
    expect(() => prepare('RS256', { ...rsa.publicJwk, ...more })).toThrow(TypeError)
  })

  test.each([
    ['an EC key for RS256', 'RS256', ec.publicJwk],
    ['an RSA key for ES256', 'ES256', rsa.publicJwk],
    ['an Ed25519 key for ES256', 'ES256', ed.publicJwk],
    ['an EC key for Ed25519', 'Ed25519', ec.publicJwk],
    ['another curve', 'ES256', ecJwk('P-384')],
    ['the curve of a coin', 'ES256', ecJwk('secp256k1')],
    ['Ed448 for Ed25519', 'Ed25519', { ...generateKeyPairSync('ed448').publicKey.export({ format: 'jwk' }) }],
    [
      'X25519 for Ed25519',
      'Ed25519',
      { ...generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }) },
    ],
    ['a P-384 key that says it is P-256', 'ES256', { ...ecJwk('P-384'), crv: 'P-256' }],
    ['a symmetric key', 'RS256', { kty: 'oct', k: 'c2VjcmV0' }],
    ['P-256 for ES384', 'ES384', ec.publicJwk],
    ['P-384 for ES512', 'ES512', ecJwk('P-384')],
    ['an Ed25519 key for ML-DSA-65', 'ML-DSA-65', ed.publicJwk],
    ['an EC key for PS256', 'PS256', ec.publicJwk],
    ['an RSA key for HS256', 'HS256', rsa.publicJwk],
    ['nothing', 'RS256', {}],
  ] as const)('does not serve an algorithm that it does not fit: %s', (_, algorithm, jwk) => {
    expect(() => prepare(algorithm, jwk)).toThrow(TypeError)
  })

  test('of a symmetric algorithm is a secret of 32 bytes or more, and nothing else has one', () => {
    const prepareSecret = (
      algorithm: SigningAlgorithm,
      publicJwk: Record<string, unknown>,
      secret: unknown,
    ) => prepareVerificationKey({ id: 'k', algorithm, publicJwk, secret: secret as typeof hmac.publicKey })
    const oct = { kty: 'oct' }
    expect(prepareSecret('HS256', oct, createSecretKey(new Uint8Array(32)))).toBeDefined()
    for (const wrong of [undefined, createSecretKey(new Uint8Array(31)), rsa.publicKey, rsa.privateKey]) {
      expect(() => prepareSecret('HS256', oct, wrong)).toThrow('32 bytes')
    }
    expect(() => prepareSecret('HS256', { kty: 'oct', k: 'c2VjcmV0' }, hmac.publicKey)).toThrow('k')
    expect(() => prepareSecret('HS256', rsa.publicJwk, hmac.publicKey)).toThrow(TypeError)
    for (const signer of SIGNERS.filter(({ algorithm }) => algorithm !== 'HS256')) {
      expect(() => prepareSecret(signer.algorithm, signer.publicJwk, hmac.publicKey)).toThrow(
        'takes no secret',
      )
    }
  })

  test('shows nothing of its secret as JSON, nor when it is inspected', () => {
    const secret = hmac.publicKey.export()
    const shown = JSON.stringify(hmac.fact) + inspect(hmac.fact, { depth: 9, showHidden: true })
    for (const encoding of ['base64url', 'base64', 'hex', 'latin1'] as const) {
      expect(shown).not.toContain(secret.toString(encoding))
    }
    expect(JSON.stringify(hmac.fact)).not.toContain(hmac.publicKey.export().toString('base64url'))
    expect(JSON.parse(JSON.stringify(hmac.fact))).toMatchObject({ secret: {} })
  })

  test('needs an RSA modulus of 2048 bits or more', () => {
    expect(() => prepare('RS256', rsaJwk(2047))).toThrow('2048 to 8192 bits')
    for (const algorithm of ['RS256', 'RS512', 'PS256', 'PS512'] as const) {
      expect(() => prepare(algorithm, rsaJwk(1024))).toThrow(TypeError)
    }
    expect(prepare('RS256', rsaJwk(2048, 3))).toBeDefined()
  })

  test('has an RSA modulus of 8192 bits at most: a larger one is a way to stop the verifier', () => {
    const n = Buffer.alloc(1025, 0xff).toString('base64url')
    expect(() => prepare('RS256', { kty: 'RSA', n, e: 'AQAB' })).toThrow('8192 bits')
  })

  test.each([
    ['0', 'AA'],
    ['1, under which every text is its own signature', 'AQ'],
    ['2, even', 'Ag'],
    ['65536, even', 'AQAA'],
    ['2^32 + 1, too long', 'AQAAAAE'],
  ])('has no RSA exponent of %s', (_, e) => {
    expect(() => prepare('RS256', { ...rsa.publicJwk, e })).toThrow(TypeError)
  })

  test.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'])('has no private member %s', (member) => {
    expect(() => prepare('RS256', { ...rsa.publicJwk, [member]: 'AQAB' })).toThrow(member)
  })

  test('is never a private key, and the refusal does not show it', () => {
    for (const signer of SIGNERS) {
      const jwk = { ...signer.privateKey.export({ format: 'jwk' }) }
      expect(() => prepare(signer.algorithm, jwk)).toThrow(TypeError)
      expect(() => prepare(signer.algorithm, jwk)).not.toThrow(String(jwk.d ?? jwk.priv ?? jwk.k))
    }
  })

  test('is written in canonical base64url', () => {
    const n = String(rsa.publicJwk.n)
    for (const wrong of ['', `${n}=`, ` ${n}`, n.replace(/.$/, 'B'), 7, null]) {
      expect(() => prepare('RS256', { ...rsa.publicJwk, n: wrong })).toThrow(TypeError)
    }
  })

  test('lies on its curve', () => {
    const point = { kty: 'EC', crv: 'P-256', x: ec.publicJwk.x, y: ec.publicJwk.x }
    expect(() => prepare('ES256', point)).toThrow(TypeError)
  })

  test('is of an algorithm that is known', () => {
    expect(() => prepare('none' as SigningAlgorithm, rsa.publicJwk)).toThrow(TypeError)
    expect(() => prepare('constructor' as SigningAlgorithm, rsa.publicJwk)).toThrow(TypeError)
  })

  test('never throws at a signature, whatever its bytes and length', () => {
    for (const signer of SIGNERS) {
      const key = prepareVerificationKey(signer.fact)
      const exact = ALGORITHMS[signer.algorithm].signatureBytes ?? 256
      const any = fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ minLength: exact, maxLength: exact }),
        fc.constantFrom(0, 1, 0x7f, 0x80, 0xff).map((byte) => new Uint8Array(exact).fill(byte)),
      )
      fc.assert(
        fc.property(any, (signature) => {
          expect(key.verify('a.b', signature)).toBe(false)
        }),
      )
    }
  })
})
