/**
 * The CRC-32 of zlib, PNG and Ethernet (polynomial 0xEDB88320), as an unsigned number.
 * Characters count as bytes: only for ASCII does that equal the CRC of the UTF-8 text.
 */
export function crc32(ascii: string): number {
  let remainder = -1
  for (let index = 0; index < ascii.length; index++) {
    remainder ^= ascii.charCodeAt(index)
    for (let bit = 0; bit < 8; bit++) {
      remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1
    }
  }
  return ~remainder >>> 0
}
