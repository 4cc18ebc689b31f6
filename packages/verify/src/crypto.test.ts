import { createHash, createHmac, generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  exportSpki,
  importPkcs8,
  importPublicJwk,
  importSecret,
  importSpki,
  keyDetails,
  secretBytes,
  sha256,
  verifyMac,
  verifySignature,
} from './crypto.ts'

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

describe('an HMAC', () => {
  const secret = Buffer.alloc(32, 7)
  const handle = importSecret(secret)
  const mac = createHmac('sha256', secret).update('a.b').digest()

  test('holds for its text, its secret and its whole length alone', () => {
    expect(verifyMac('sha256', handle, 'a.b', mac)).toBe(true)
    expect(verifyMac('sha256', handle, Buffer.from('a.b'), mac)).toBe(true)
    expect(verifyMac('sha256', handle, 'a.c', mac)).toBe(false)
    expect(verifyMac('sha256', importSecret(Buffer.alloc(32)), 'a.b', mac)).toBe(false)
    for (const other of [mac.subarray(1), mac.subarray(0, 16), Buffer.concat([mac, mac]), Buffer.alloc(0)]) {
      expect(verifyMac('sha256', handle, 'a.b', other)).toBe(false)
    }
  })

  test('is none under a key that is no secret', () => {
    expect(
      verifyMac('sha256', key, 'a.b', createHmac('sha256', exportSpki(key)).update('a.b').digest()),
    ).toBe(false)
    expect([secretBytes(handle), secretBytes(key)]).toEqual([32, null])
  })

  test('does not change when the bytes that the secret came from are overwritten', () => {
    const bytes = Buffer.from(secret)
    const kept = importSecret(bytes)
    bytes.fill(0)
    expect(verifyMac('sha256', kept, 'a.b', mac)).toBe(true)
  })
})

describe('an imported key', () => {
  test('comes from DER as it went there', () => {
    const spki = exportSpki(key)
    expect(exportSpki(importSpki(spki))).toEqual(spki)
    const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' })
    const signature = sign(null, Buffer.from('a'), importPkcs8(pkcs8))
    expect(verifySignature(null, importSpki(spki), 'a', signature)).toBe(true)
    expect(() => importSpki(pkcs8)).toThrow(TypeError)
    expect(() => importPkcs8(spki)).toThrow(TypeError)
    expect(() => importPkcs8(pkcs8.subarray(1))).toThrow(/^The bytes hold no private key/)
  })

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
