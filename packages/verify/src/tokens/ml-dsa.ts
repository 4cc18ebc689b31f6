import { importSpki, type VerificationKeyHandle } from '../crypto.ts'
import { decodeBase64Url } from './base64url.ts'

/** Bytes of a public key of ML-DSA-65 (FIPS 204, table 2). */
const PUBLIC_KEY_BYTES = 1952

/** SubjectPublicKeyInfo of id-ml-dsa-65 (RFC 9881, section 4), up to the key's own bytes. */
const SPKI_HEAD = Uint8Array.of(
  ...[0x30, 0x82, 0x07, 0xb2, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x12],
  ...[0x03, 0x82, 0x07, 0xa1, 0x00],
)

let supported: boolean | undefined

/** Whether this runtime has ML-DSA-65. Node has since 24.6; any 1952 bytes are a key to try it with. */
export function hasMlDsa65(): boolean {
  supported ??= isKnown(new Uint8Array(PUBLIC_KEY_BYTES))
  return supported
}

/**
 * Prepares an ML-DSA-65 key from its JWK (RFC 9964, section 3). By its bytes and not as a JWK: Node had the algorithm
 * before it read such JWKs. Throws a TypeError where this runtime lacks the algorithm.
 */
export function importMlDsa65(jwk: Readonly<Record<string, unknown>>): VerificationKeyHandle {
  if (!hasMlDsa65()) throw new TypeError('This runtime has no ML-DSA-65: it needs Node 24.6 or later.')
  const key = typeof jwk.pub === 'string' ? decodeBase64Url(jwk.pub) : undefined
  if (key?.length !== PUBLIC_KEY_BYTES) {
    throw new TypeError(`An ML-DSA-65 key has a member pub of ${PUBLIC_KEY_BYTES} bytes.`)
  }
  return importKey(key)
}

function isKnown(key: Uint8Array): boolean {
  try {
    importKey(key)
    return true
  } catch {
    return false
  }
}

function importKey(key: Uint8Array): VerificationKeyHandle {
  const spki = new Uint8Array(SPKI_HEAD.length + key.length)
  spki.set(SPKI_HEAD)
  spki.set(key, SPKI_HEAD.length)
  return importSpki(spki)
}
