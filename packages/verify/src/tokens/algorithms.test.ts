import { generateKeyPairSync, sign } from 'node:crypto'
import * as jose from 'jose'
import { describe, expect, test } from 'vitest'
import { TokenSigner } from '../../test/token-signer.ts'
import { ALGORITHMS, acceptsHeader, isSigningAlgorithm, type SigningAlgorithm } from './algorithms.ts'
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
    for (const at of [0, signature.length >> 1, signature.length - 1]) {
      const altered = Buffer.from(signature)
      altered[at] = (altered[at] ?? 0) ^ 1
      expect(key.verify('a.b', altered)).toBe(false)
    }
  })

  test('signs what jose accepts, and accepts what jose signs', async () => {
    const token = signer.token({ sub: 'somebody' })
    const key = await jose.importJWK(signer.publicJwk, traits.joseName)
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
    for (const name of ['none', 'HS256', 'rs256', '', 'toString', '__proto__', 'constructor']) {
      expect(isSigningAlgorithm(name)).toBe(false)
    }
  })

  test('takes Ed25519 by its new name and by its old, writes the new, and takes no other spelling', () => {
    expect(ALGORITHMS.Ed25519.joseName).toBe('Ed25519')
    expect(['Ed25519', 'EdDSA'].every((name) => acceptsHeader('Ed25519', name))).toBe(true)
    expect(['eddsa', 'Ed448', 'RS256', ''].some((name) => acceptsHeader('Ed25519', name))).toBe(false)
    expect(['RS512', 'PS256', 'HS256', 'rs256', 'none'].some((name) => acceptsHeader('RS256', name))).toBe(
      false,
    )
  })

  test('refuses to make a token of a signature from another curve', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const signature = sign('sha256', Buffer.from('a.b'), privateKey)
    expect(() => ALGORITHMS.ES256.toJoseSignature(signature)).toThrow(TypeError)
  })
})
