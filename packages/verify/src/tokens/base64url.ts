import { decodeBase64UrlBytes, encodeBase64Url } from '../crypto.ts'

/**
 * Decodes base64url as JOSE writes it (RFC 7515, section 2): no padding, no space, no `+` or `/`, the unused
 * bits of the last character zero. Undefined for any other text, so that no two texts name the same bytes.
 *
 * The proof is to encode again and compare: it leaves nothing to enumerate, and costs less than a scan.
 */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  const bytes = decodeBase64UrlBytes(text)
  return encodeBase64Url(bytes) === text ? bytes : undefined
}

export function isBase64Url(text: string): boolean {
  return decodeBase64Url(text) !== undefined
}
