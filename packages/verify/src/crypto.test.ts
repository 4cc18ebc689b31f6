import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { importPublicJwk, keyDetails, sha256, verifySignature } from './crypto.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const key = importPublicJwk({ ...publicKey.export({ format: 'jwk' }) })

describe('the digest', () => {
  test('is SHA-256 of the UTF-8 bytes, base64url', () => {
    expect(sha256('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(sha256(text)).toBe(createHash('sha256').update(text, 'utf8').digest('base64url'))
      }),
    )
  })
})

describe('a signature', () => {
  test('holds for its text and for no other, however long', () => {
    for (const length of [0, 1, 8192, 8193, 100_000]) {
      const text = 'a'.repeat(length)
      const signature = sign(null, Buffer.from(text), privateKey)
      expect(verifySignature(null, key, text, signature)).toBe(true)
      expect(verifySignature(null, key, `${text}a`, signature)).toBe(false)
    }
  })

  test('does not hold for a text whose characters only end in the same byte', () => {
    const signature = sign(null, Buffer.from('A'), privateKey)
    expect(verifySignature(null, key, '\u0141', signature)).toBe(false)
  })

  test('is not mixed up with the one before', () => {
    const texts = ['longer.text', 'short']
    const signatures = texts.map((text) => sign(null, Buffer.from(text), privateKey))
    for (const [at, text] of texts.entries()) {
      expect(verifySignature(null, key, text, signatures[at] ?? Buffer.alloc(0))).toBe(true)
      expect(verifySignature(null, key, text, signatures[1 - at] ?? Buffer.alloc(0))).toBe(false)
    }
  })
})

describe('an imported key', () => {
  test('tells its strength when it is RSA', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).publicKey
    expect(keyDetails(importPublicJwk({ ...rsa.export({ format: 'jwk' }) }))).toEqual({
      modulusBits: 2048,
      publicExponent: 3n,
    })
    expect(keyDetails(key)).toEqual({ modulusBits: null, publicExponent: null })
  })

  test('that is none is a TypeError which shows nothing of it', () => {
    expect(() => importPublicJwk({ kty: 'OKP', crv: 'Ed25519', x: 'hush' })).toThrow(TypeError)
    expect(() => importPublicJwk({ kty: 'OKP', crv: 'Ed25519', x: 'hush' })).toThrow(/^(?!.*hush)/)
  })
})
