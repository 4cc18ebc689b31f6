/** The alphabet of key strings, in the order of its digits. */
export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * Writes a whole number in exactly `length` digits, most significant first, padded with `0`.
 * Throws a TypeError when it has no such spelling.
 */
export function encodeBase62(value: number, length: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError('Only whole numbers from 0 have digits.')
  let digits = ''
  let rest = value
  while (digits.length < length) {
    digits = BASE62.charAt(rest % 62) + digits
    rest = Math.floor(rest / 62)
  }
  if (rest !== 0) throw new TypeError(`The number has more than ${length} base62 digits.`)
  return digits
}
