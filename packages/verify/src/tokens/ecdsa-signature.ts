/**
 * The two spellings of an ECDSA signature: r and s at fixed length, as JOSE has it (RFC 7518, section 3.4),
 * and the DER sequence of two integers that OpenSSL speaks (RFC 3279, section 2.2.3).
 *
 * Both ways are strict, so that each signature has one spelling in either: a zero, a padded or negative
 * integer, a byte too many and a wrong length are refused.
 */

const SEQUENCE = 0x30
const INTEGER = 0x02
/** From here on DER writes a length in a byte of its own. */
const LONG_LENGTH = 0x80
const LENGTH_IN_ONE_BYTE = 0x81

/**
 * JOSE to DER; undefined when the signature is not two non-zero integers of `integerBytes` each.
 * Whether they are below the curve's order is left to the check of the signature.
 */
export function ecdsaToDer(signature: Uint8Array, integerBytes: number): Uint8Array | undefined {
  if (signature.length !== 2 * integerBytes) return undefined
  const rStart = skipZeros(signature, 0, integerBytes)
  const sStart = skipZeros(signature, integerBytes, 2 * integerBytes)
  if (rStart === integerBytes || sStart === 2 * integerBytes) return undefined
  const rLength = integerLength(signature, rStart, integerBytes)
  const sLength = integerLength(signature, sStart, 2 * integerBytes)
  const contentLength = rLength + sLength + 4
  const headLength = contentLength < LONG_LENGTH ? 2 : 3
  const der = new Uint8Array(headLength + contentLength)
  der[0] = SEQUENCE
  if (headLength === 3) der[1] = LENGTH_IN_ONE_BYTE
  der[headLength - 1] = contentLength
  writeInteger(der, headLength, rLength, signature.subarray(rStart, integerBytes))
  writeInteger(der, headLength + 2 + rLength, sLength, signature.subarray(sStart))
  return der
}

/** DER to JOSE; undefined when it is not the one DER of two positive integers of `integerBytes` at most. */
export function ecdsaFromDer(der: Uint8Array, integerBytes: number): Uint8Array | undefined {
  const long = der[1] === LENGTH_IN_ONE_BYTE
  const contentStart = long ? 3 : 2
  const contentLength = der[contentStart - 1]
  if (der[0] !== SEQUENCE || contentLength === undefined) return undefined
  if (contentLength >= LONG_LENGTH !== long || contentStart + contentLength !== der.length) return undefined
  const r = readInteger(der, contentStart, integerBytes)
  if (r === undefined) return undefined
  const s = readInteger(der, r.end, integerBytes)
  if (s === undefined || s.end !== der.length) return undefined
  const signature = new Uint8Array(2 * integerBytes)
  signature.set(r.digits, integerBytes - r.digits.length)
  signature.set(s.digits, 2 * integerBytes - s.digits.length)
  return signature
}

function skipZeros(bytes: Uint8Array, start: number, end: number): number {
  let index = start
  while (index < end && bytes[index] === 0) index++
  return index
}

/** DER's integers are signed: one whose first bit is set gets a zero in front. */
function integerLength(bytes: Uint8Array, start: number, end: number): number {
  return end - start + (isNegative(bytes[start]) ? 1 : 0)
}

function writeInteger(der: Uint8Array, offset: number, length: number, digits: Uint8Array): void {
  der[offset] = INTEGER
  der[offset + 1] = length
  der.set(digits, offset + 2 + length - digits.length)
}

/** Reads a positive integer in its shortest spelling; its digits come without the zero in front. */
function readInteger(
  der: Uint8Array,
  offset: number,
  maxBytes: number,
): { digits: Uint8Array; end: number } | undefined {
  const length = der[offset + 1]
  if (der[offset] !== INTEGER || length === undefined || length === 0) return undefined
  const end = offset + 2 + length
  if (end > der.length || isNegative(der[offset + 2])) return undefined
  const padded = der[offset + 2] === 0
  if (padded && !isNegative(der[offset + 3])) return undefined
  const digits = der.subarray(offset + (padded ? 3 : 2), end)
  return digits.length === 0 || digits.length > maxBytes ? undefined : { digits, end }
}

function isNegative(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x80
}
