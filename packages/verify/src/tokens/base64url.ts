/**
 * Base64url as JOSE writes it (RFC 7515, section 2): no padding, no space, no `+` or `/`, the unused bits of
 * the last character zero. Any other text is refused, so that no two texts name the same bytes.
 *
 * Own code, though platforms have a decoder: theirs skip or accept what is not of the alphabet, so that their
 * answer has to be checked as well, and each call makes an object. Measured between two RSA verifications,
 * decoding into memory that is there already costs a third of decoding with `Buffer` and encoding again.
 */
import { BASE62 } from '../keys/base62.ts'
import { utf8 } from './utf8.ts'

const ALPHABET = `${BASE62.slice(10)}${BASE62.slice(0, 10)}-_`

/** The value of each byte; -1, which any other value combined with it leaves negative, for all others. */
const VALUES = new Int8Array(256).fill(-1)
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value

/** Decodes a whole text; undefined when it is not canonical base64url. */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  const source = utf8.encode(text)
  const target = new Uint8Array(decodedBytes(text.length))
  return decodeBase64UrlInto(source, 0, source.length, target) < 0 ? undefined : target
}

export function isBase64Url(text: string): boolean {
  return decodeBase64Url(text) !== undefined
}

/** How many bytes so many characters decode to. */
export function decodedBytes(characters: number): number {
  return Math.floor((characters * 3) / 4)
}

/**
 * Decodes the characters of `source` from `start` to `end` and writes them to `target`, which must have
 * room. Answers how many bytes that gave; -1, and rubbish in `target`, when they are not canonical.
 */
export function decodeBase64UrlInto(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): number {
  let refused = 0
  let from = start
  let to = 0
  for (const whole = end - ((end - start) % 4); from < whole; from += 4) {
    const bits =
      (valueAt(source, from) << 18) |
      (valueAt(source, from + 1) << 12) |
      (valueAt(source, from + 2) << 6) |
      valueAt(source, from + 3)
    refused |= bits
    target[to] = bits >> 16
    target[to + 1] = bits >> 8
    target[to + 2] = bits
    to += 3
  }
  if (end - from === 3) {
    const bits = (valueAt(source, from) << 12) | (valueAt(source, from + 1) << 6) | valueAt(source, from + 2)
    refused |= bits | -(bits & 3)
    target[to++] = bits >> 10
    target[to++] = bits >> 2
  } else if (end - from === 2) {
    const bits = (valueAt(source, from) << 6) | valueAt(source, from + 1)
    refused |= bits | -(bits & 15)
    target[to++] = bits >> 4
  } else if (end - from === 1) {
    return -1
  }
  return refused < 0 ? -1 : to
}

function valueAt(source: Uint8Array, index: number): number {
  return VALUES[source[index] ?? 0] ?? -1
}
