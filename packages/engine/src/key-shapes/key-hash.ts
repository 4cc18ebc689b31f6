import Type from 'typebox'

export const HASH_ENCODINGS = ['hex', 'base64', 'base64url'] as const
export type HashEncoding = (typeof HASH_ENCODINGS)[number]

export const HashEncoding = Type.Enum(HASH_ENCODINGS, {
  description: "How the hashes are written: each is the SHA-256 of a key's whole text, without salt.",
})

const SHA256_BYTES = 32

/**
 * The digest that a verifier looks the key up by: the same bytes, base64url. Padding may be there or not, hex may be
 * of capitals; anything else that is not exactly 32 bytes in the encoding answers undefined.
 */
export function readKeyHash(text: string, encoding: HashEncoding): string | undefined {
  const unpadded = encoding === 'hex' ? text.toLowerCase() : text.replace(/=$/, '')
  const bytes = Buffer.from(unpadded, encoding)
  const canonical = bytes.toString(encoding).replace(/=$/, '')
  return bytes.length === SHA256_BYTES && canonical === unpadded ? bytes.toString('base64url') : undefined
}
