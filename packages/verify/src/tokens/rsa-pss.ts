/**
 * Keys of RSASSA-PSS in the two encodings that OpenSSL reads: SubjectPublicKeyInfo (RFC 5280) and PKCS #8 (RFC 5958).
 *
 * A JWK and a plain RSA key leave open how they sign. The same key that names id-RSASSA-PSS and its parameters
 * (RFC 4055, section 3.1) verifies and signs in no other way, and twice as fast as when each call names them.
 */

/** Hashes of PSS, with the last byte of their object identifiers and the length of their digests, in bytes. */
const HASHES = { sha256: [1, 32], sha384: [2, 48], sha512: [3, 64] } as const

export type PssHash = keyof typeof HASHES

/** AlgorithmIdentifier of rsaEncryption. */
const RSA_ENCRYPTION = bytes('300d 06092a864886f70d010101 0500')
/** Version 0, before the AlgorithmIdentifier of PKCS #8. */
const VERSION_0 = bytes('020100')

const SEQUENCE = 0x30
/** From here on DER writes a length in bytes of its own; an RSA key's take two of them. */
const LENGTH_IN_TWO_BYTES = 0x82

/**
 * The same RSA key, public or private, bound to PSS with this hash for text and mask, and a salt as long as its digest
 * (RFC 7518, section 3.5). Undefined for what is no RSA key of 2048 to 8192 bits in the one DER of it.
 */
export function bindToPss(der: Uint8Array, hash: PssHash): Uint8Array | undefined {
  const length = ((der[2] ?? 0) << 8) | (der[3] ?? 0)
  if (der[0] !== SEQUENCE || der[1] !== LENGTH_IN_TWO_BYTES || length !== der.length - 4) return undefined
  const content = der.subarray(4)
  const version = startsWith(content, VERSION_0) ? VERSION_0 : new Uint8Array(0)
  const rest = content.subarray(version.length)
  if (!startsWith(rest, RSA_ENCRYPTION)) return undefined
  const algorithm = pssIdentifier(hash)
  const key = rest.subarray(RSA_ENCRYPTION.length)
  const boundLength = version.length + algorithm.length + key.length
  if (boundLength > 0xffff) return undefined
  const bound = new Uint8Array(4 + boundLength)
  bound.set([SEQUENCE, LENGTH_IN_TWO_BYTES, boundLength >> 8, boundLength & 0xff])
  bound.set(version, 4)
  bound.set(algorithm, 4 + version.length)
  bound.set(key, 4 + version.length + algorithm.length)
  return bound
}

/** The same, for a key that has to be one: a TypeError when it is not. */
export function bindKeyToPss(der: Uint8Array, hash: PssHash): Uint8Array {
  const bound = bindToPss(der, hash)
  if (bound === undefined) throw new TypeError('The key is no RSA key that RSASSA-PSS can be used with.')
  return bound
}

/** AlgorithmIdentifier of id-RSASSA-PSS: hash, mask generation MGF1 with the same hash, length of the salt. */
function pssIdentifier(hash: PssHash): Uint8Array {
  const [arc, saltBytes] = HASHES[hash]
  const hashIdentifier = `300d 06096086480165030402${hex(arc)} 0500`
  const maskIdentifier = `301a 06092a864886f70d010108 ${hashIdentifier}`
  return bytes(
    `3041 06092a864886f70d01010a 3034 a00f ${hashIdentifier} a11c ${maskIdentifier} a203 0201${hex(saltBytes)}`,
  )
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

function startsWith(content: Uint8Array, beginning: Uint8Array): boolean {
  return beginning.every((byte, index) => content[index] === byte)
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}
