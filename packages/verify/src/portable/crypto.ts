/**
 * What `../crypto.ts` takes from `node:`, on web-standard APIs alone: as much of it as those who verify need. The
 * portable build puts this file in its place.
 */
import { _SHA256 } from '@noble/hashes/sha2.js'
import type { KeyDetails } from '../crypto.ts'
import { decodeBase64Url } from '../tokens/base64url.ts'
import { utf8 } from '../tokens/utf8.ts'

/** What WebCrypto makes of a key. */
export type ImportedKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/**
 * A public key as its JWK has it. WebCrypto imports keys only with a promise, so that is done at its first signature
 * (`signature-schemes.ts`), and kept here.
 */
export interface PortableKey {
  /** The members that make up the key, and no others: those that name a use or an algorithm are checked elsewhere. */
  readonly jwk: Readonly<Record<string, string>>
  imported: ImportedKey | undefined
}

/**
 * The SHA-256 of the text's UTF-8 bytes, base64url. Not WebCrypto's, which answers with a promise: keys are looked up
 * by it, and one seen before is answered at once.
 */
export function sha256(text: string): string {
  const base64 = btoa(String.fromCharCode(...new _SHA256().update(utf8.encode(text)).digest()))
  return base64.slice(0, -1).replaceAll('+', '-').replaceAll('/', '_')
}

/** No secret comes here: they stay on the server, and what needs one is an unknown key. */
export function secretBytes(_key: unknown): null {
  return null
}

export function keyDetails({ jwk }: PortableKey): KeyDetails {
  const { n, e } = jwk
  if (n === undefined || e === undefined) return { modulusBits: null, publicExponent: null }
  return { modulusBits: integerOf(n).toString(2).length, publicExponent: integerOf(e) }
}

function integerOf(text: string): bigint {
  const digits = Array.from(decodeBase64Url(text) ?? [], (byte) => byte.toString(16).padStart(2, '0'))
  return BigInt(`0x0${digits.join('')}`)
}
