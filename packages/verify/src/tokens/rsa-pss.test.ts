import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type RSAPSSKeyPairKeyObjectOptions,
} from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bindToPss } from './rsa-pss.ts'

const plain = generateKeyPairSync('rsa', { modulusLength: 2048 })
const spki = plain.publicKey.export({ format: 'der', type: 'spki' })
const pkcs8 = plain.privateKey.export({ format: 'der', type: 'pkcs8' })

describe('binding an RSA key to PSS', () => {
  test.each([
    ['sha256', 32],
    ['sha384', 48],
    ['sha512', 64],
  ] as const)('gives, with %s, what OpenSSL writes for such a key', (hash, saltLength) => {
    const asked = { modulusLength: 2048, hashAlgorithm: hash, mgf1HashAlgorithm: hash, saltLength }
    // Node takes the length as a number, whatever its types say.
    const made = generateKeyPairSync('rsa-pss', asked as unknown as RSAPSSKeyPairKeyObjectOptions)
    const publicKey = createPublicKey({
      key: Buffer.from(bindToPss(spki, hash) ?? []),
      format: 'der',
      type: 'spki',
    })
    const privateKey = createPrivateKey({
      key: Buffer.from(bindToPss(pkcs8, hash) ?? []),
      format: 'der',
      type: 'pkcs8',
    })
    for (const key of [publicKey, privateKey]) {
      expect(key.asymmetricKeyType).toBe('rsa-pss')
      expect(key.asymmetricKeyDetails).toEqual(made.publicKey.asymmetricKeyDetails)
    }
    // The key itself begins after the head, and stays as it was.
    const head = made.publicKey.export({ format: 'der', type: 'spki' }).subarray(4, 71)
    expect(publicKey.export({ format: 'der', type: 'spki' }).subarray(4)).toEqual(
      Buffer.concat([head, spki.subarray(19)]),
    )
  })

  test('leaves alone what is no RSA key', () => {
    const others = [
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
      generateKeyPairSync('ed25519').publicKey,
      generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey,
    ].map((key) => key.export({ format: 'der', type: 'spki' }))
    for (const der of [
      ...others,
      new Uint8Array(0),
      spki.subarray(1),
      spki.subarray(0, -1),
      Buffer.concat([spki, spki]),
    ]) {
      expect(bindToPss(der, 'sha256')).toBeUndefined()
    }
  })

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(bindToPss(bytes, 'sha512')).toBeUndefined()
      }),
    )
  })
})
