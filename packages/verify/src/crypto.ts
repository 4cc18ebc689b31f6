/**
 * All that this package takes from `node:`. The portable build replaces this file by `portable/crypto.ts`, and
 * `tokens/signature-schemes.ts`, which stands on it.
 *
 * Synchronous throughout: one signature at a time through the thread pool costs two to five times the
 * direct call.
 */
import { Buffer } from 'node:buffer'
import crypto, { type JsonWebKey, type KeyObject } from 'node:crypto'

/** A prepared public key, or the secret of an HMAC. Opaque: only this file looks inside, and it prints as nothing. */
export type VerificationKeyHandle = KeyObject

/** A prepared private key, or the secret of an HMAC, for those who sign. */
export type SigningKeyHandle = KeyObject

/** What of a prepared key decides whether it is strong enough. */
export interface KeyDetails {
  /** RSA: null for other keys. */
  readonly modulusBits: number | null
  /** RSA: null for other keys. */
  readonly publicExponent: bigint | null
}

/** The SHA-256 of the text's UTF-8 bytes, base64url. */
export const sha256: (text: string) => string =
  typeof crypto.hash === 'function'
    ? (text) => crypto.hash('sha256', text, 'base64url')
    : (text) => crypto.createHash('sha256').update(text).digest('base64url')

/**
 * Prepares a public key once, so that a verification has nothing to parse.
 * Throws a TypeError when the JWK is no key: members missing, a point off its curve.
 */
export function importPublicJwk(jwk: Readonly<Record<string, unknown>>): VerificationKeyHandle {
  try {
    return crypto.createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
  } catch {
    throw new TypeError('The JWK holds no public key.')
  }
}

/**
 * Prepares a public key from its SubjectPublicKeyInfo (RFC 5280, section 4.1). Throws a TypeError when it holds none
 * that this runtime knows.
 */
export function importSpki(spki: Uint8Array): VerificationKeyHandle {
  try {
    return crypto.createPublicKey({ key: bufferOf(spki), format: 'der', type: 'spki' })
  } catch {
    throw new TypeError('The bytes hold no public key that this runtime knows.')
  }
}

/** The SubjectPublicKeyInfo of a prepared public key. */
export function exportSpki(key: VerificationKeyHandle): Uint8Array {
  return key.export({ format: 'der', type: 'spki' })
}

/** Prepares a private key from PKCS #8 (RFC 5958). Throws a TypeError, which says nothing of the key. */
export function importPkcs8(pkcs8: Uint8Array): SigningKeyHandle {
  try {
    return crypto.createPrivateKey({ key: bufferOf(pkcs8), format: 'der', type: 'pkcs8' })
  } catch {
    throw new TypeError('The bytes hold no private key that this runtime knows.')
  }
}

/** Prepares the secret of an HMAC. */
export function importSecret(secret: Uint8Array): SigningKeyHandle {
  return crypto.createSecretKey(secret)
}

/** Bytes of a prepared secret; null: it is a key of another kind. */
export function secretBytes(key: VerificationKeyHandle): number | null {
  return key.type === 'secret' ? (key.symmetricKeySize ?? null) : null
}

export function keyDetails(key: VerificationKeyHandle): KeyDetails {
  const details = key.asymmetricKeyDetails
  return { modulusBits: details?.modulusLength ?? null, publicExponent: details?.publicExponent ?? null }
}

/**
 * Whether the signature over the bytes, or over the text's UTF-8 bytes, is the key's. `digest` null: the algorithm brings its own.
 * An ECDSA signature is expected in DER: with a bare key that is 1.7 times faster than asking for r and s.
 */
export function verifySignature(
  digest: string | null,
  key: VerificationKeyHandle,
  signed: string | Uint8Array,
  signature: Uint8Array,
): boolean {
  return crypto.verify(digest, typeof signed === 'string' ? bytesOf(signed) : signed, key, signature)
}

/**
 * Whether these bytes are the HMAC, under the secret, of the bytes or of the text's UTF-8 bytes (RFC 2104). Its time
 * tells nothing of how much of them is right. A key that is no secret makes no HMAC, whatever its bytes.
 */
export function verifyMac(
  digest: string,
  key: VerificationKeyHandle,
  signed: string | Uint8Array,
  mac: Uint8Array,
): boolean {
  if (key.type !== 'secret') return false
  const expected = crypto.createHmac(digest, key).update(signed).digest()
  return expected.length === mac.length && crypto.timingSafeEqual(expected, mac)
}

/** Room for the longest token, even if each of its characters took three bytes. */
const room = Buffer.allocUnsafeSlow(3 * 8192)

/** The UTF-8 bytes of a text, valid until the next call: for a token's text nothing is allocated. */
function bytesOf(text: string): Uint8Array {
  if (3 * text.length > room.length) return Buffer.from(text)
  return new Uint8Array(room.buffer, 0, room.write(text))
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * Reads a piece of memory as ASCII, again and again, from its beginning: the fastest way from bytes to a text.
 * Bytes beyond ASCII become some character beyond ASCII each.
 */
export function asciiReader(memory: Uint8Array): (bytes: number) => string {
  const buffer = Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength)
  return (bytes) => buffer.toString('latin1', 0, bytes)
}
