/**
 * All that this package takes from `node:`. A portable build replaces this file and no other.
 *
 * Synchronous throughout: one signature at a time through the thread pool costs two to five times the
 * direct call.
 */
import { Buffer } from 'node:buffer'
import crypto, { type JsonWebKey, type KeyObject } from 'node:crypto'

/** A prepared public key. Opaque: only this file looks inside. */
export type VerificationKeyHandle = KeyObject

/** What of a prepared key decides whether it is strong enough. */
export interface KeyDetails {
  /** RSA: null for other keys. */
  readonly modulusBits: number | null
  /** RSA: null for other keys. */
  readonly publicExponent: bigint | null
}

/** Refuses bytes that are not UTF-8, and keeps a byte order mark, for the JSON parser to refuse. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The SHA-256 of the text's UTF-8 bytes, base64url. */
export const sha256: (text: string) => string =
  typeof crypto.hash === 'function'
    ? (text) => crypto.hash('sha256', text, 'base64url')
    : (text) => crypto.createHash('sha256').update(text).digest('base64url')

/** Decodes without checking: `tokens/base64url.ts` is the strict face. Skips what is not of the alphabet. */
export function decodeBase64UrlBytes(text: string): Uint8Array {
  return Buffer.from(text, 'base64url')
}

/** The only spelling of these bytes: unpadded, trailing bits zero (RFC 7515, section 2). */
export function encodeBase64Url(bytes: Uint8Array): string {
  const view = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return view.toString('base64url')
}

/** Reads UTF-8; undefined when the bytes are not. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

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

export function keyDetails(key: VerificationKeyHandle): KeyDetails {
  const details = key.asymmetricKeyDetails
  return { modulusBits: details?.modulusLength ?? null, publicExponent: details?.publicExponent ?? null }
}

/**
 * Whether the signature over the ASCII text is the key's. `digest` null: the algorithm brings its own.
 * An ECDSA signature is expected in DER: with a bare key that is 1.7 times faster than asking for r and s.
 */
export function verifySignature(
  digest: string | null,
  key: VerificationKeyHandle,
  text: string,
  signature: Uint8Array,
): boolean {
  return crypto.verify(digest, Buffer.from(text, 'latin1'), key, signature)
}
