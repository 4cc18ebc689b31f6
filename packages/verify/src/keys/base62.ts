/** The alphabet of key strings, in the order of its digits. */
export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Writes a whole number in exactly `length` digits, most significant first, padded with `0`: its last ones, if it has more. */
export function encodeBase62(value: number, length: number): string {
  let digits = ''
  for (let rest = value; digits.length < length; rest = Math.floor(rest / 62)) {
    digits = BASE62.charAt(rest % 62) + digits
  }
  return digits
}
