import { constants, createSecretKey, generateKeyPairSync, sign } from 'node:crypto'
import * as jose from 'jose'
import { describe, expect, test } from 'vitest'
import { TokenSigner } from '../../test/token-signer.ts'
import { ALGORITHMS, acceptsHeader, isSigningAlgorithm, type SigningAlgorithm } from './algorithms.ts'
import { HEADER_ALGORITHMS, isHeaderAlgorithm, signingAlgorithmOf } from './header-algorithms.ts'
import { SIGNING_TRAITS } from './signing-traits.ts'
import { prepareVerificationKey } from './verification-key.ts'

const NAMES = Object.keys(ALGORITHMS) as SigningAlgorithm[]

describe.each(NAMES)('%s', (algorithm) => {
  const signer = new TokenSigner(algorithm)
  const traits = ALGORITHMS[algorithm]

  test('accepts in a header the name that it writes', () => {
    expect(traits.acceptedNames).toContain(traits.joseName)
  })

  test('verifies what a key made by its own parameters signed, and nothing that was altered', () => {
    const key = prepareVerificationKey(signer.fact)
    const signature = Buffer.from(signer.signature('a.b'), 'base64url')
    expect(key.verify('a.b', signature)).toBe(true)
    expect(key.verify('a.c', signature)).toBe(false)
    expect(signature).toHaveLength(traits.signatureBytes ?? 256)
    for (const at of [0, signature.length >> 1, signature.length - 1]) {
      const altered = Buffer.from(signature)
      altered[at] = (altered[at] ?? 0) ^ 1
      expect(key.verify('a.b', altered)).toBe(false)
    }
  })

  test('signs what jose accepts, and accepts what jose signs', async () => {
    const token = signer.token({ sub: 'somebody' })
    const key = traits.symmetric ? signer.publicKey : await jose.importJWK(signer.publicJwk, traits.joseName)
    await expect(jose.compactVerify(token, key)).resolves.toBeDefined()
    const theirs = await new jose.CompactSign(Buffer.from('{}'))
      .setProtectedHeader({ alg: traits.joseName })
      .sign(signer.privateKey)
    const [header, payload, signature] = theirs.split('.')
    const ours = prepareVerificationKey(signer.fact)
    expect(ours.verify(`${header}.${payload}`, Buffer.from(signature ?? '', 'base64url'))).toBe(true)
  })
})

describe('the table', () => {
  test('gives each name of a header to one algorithm only', () => {
    const names = NAMES.flatMap((algorithm) => ALGORITHMS[algorithm].acceptedNames)
    expect(new Set(names).size).toBe(names.length)
  })

  test('knows its own names and nothing that every object has', () => {
    for (const name of NAMES) expect(isSigningAlgorithm(name)).toBe(true)
    for (const name of ['none', 'HS384', 'EdDSA', 'rs256', '', 'toString', '__proto__', 'constructor']) {
      expect(isSigningAlgorithm(name)).toBe(false)
    }
  })

  test('knows each name that a header may carry, and whose it is', () => {
    expect([...HEADER_ALGORITHMS].sort()).toEqual(
      NAMES.flatMap((algorithm) => ALGORITHMS[algorithm].acceptedNames).sort(),
    )
    for (const name of HEADER_ALGORITHMS) {
      expect(isHeaderAlgorithm(name)).toBe(true)
      expect(ALGORITHMS[signingAlgorithmOf(name)].acceptedNames).toContain(name)
    }
    for (const name of ['none', 'HS512', 'ML-DSA-44', 'toString']) expect(isHeaderAlgorithm(name)).toBe(false)
  })

  test('takes Ed25519 by its new name and by its old, writes the new, and takes no other spelling', () => {
    expect(ALGORITHMS.Ed25519.joseName).toBe('Ed25519')
    expect(['Ed25519', 'EdDSA'].every((name) => acceptsHeader('Ed25519', name))).toBe(true)
    expect(['eddsa', 'Ed448', 'RS256', ''].some((name) => acceptsHeader('Ed25519', name))).toBe(false)
    expect(['RS512', 'PS256', 'HS256', 'rs256', 'none'].some((name) => acceptsHeader('RS256', name))).toBe(
      false,
    )
  })

  test.each([
    ['PS256', 'sha256', 32],
    ['PS384', 'sha384', 48],
    ['PS512', 'sha512', 64],
  ] as const)(
    'takes a %s signature only with its hash %s, for text and mask, and a salt of %i bytes',
    (algorithm, hash, saltLength) => {
      const signer = new TokenSigner(algorithm)
      const key = prepareVerificationKey(signer.fact)
      const signWith = (digest: string, salt: number): Buffer =>
        sign(digest, Buffer.from('a.b'), {
          key: signer.privateKey,
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: salt,
        })
      expect(key.verify('a.b', signWith(hash, saltLength))).toBe(true)
      for (const salt of [0, saltLength - 1, saltLength + 1, 100]) {
        expect(key.verify('a.b', signWith(hash, salt))).toBe(false)
      }
      for (const other of ['sha1', 'sha256', 'sha384', 'sha512'].filter((name) => name !== hash)) {
        expect(key.verify('a.b', signWith(other, saltLength))).toBe(false)
      }
      expect(key.verify('a.b', sign(hash, Buffer.from('a.b'), signer.privateKey))).toBe(false)
    },
  )

  test('makes no HMAC with a key that is no secret', () => {
    const { publicKey } = new TokenSigner('RS256')
    for (const length of [0, 32]) {
      expect(ALGORITHMS.HS256.verify(publicKey, 'a.b', new Uint8Array(length))).toBe(false)
    }
    expect(ALGORITHMS.HS256.verify(createSecretKey(new Uint8Array(32)), 'a.b', new Uint8Array())).toBe(false)
  })

  test('takes no secret out of a JWK', () => {
    expect(() => ALGORITHMS.HS256.importKey({ kty: 'oct', k: 'c2VjcmV0' })).toThrow(TypeError)
  })

  test('refuses to make a token of a signature from another curve', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const signature = sign('sha256', Buffer.from('a.b'), privateKey)
    expect(() => SIGNING_TRAITS.ES256.toJoseSignature(signature)).toThrow(TypeError)
  })
})
