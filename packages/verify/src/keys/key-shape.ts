/**
 * The shape of keys that were issued elsewhere and go on working here (decision 0017): a prefix, and random
 * characters of an alphabet. Such a text has no checksum, so its shape is all that tells it from a mistake.
 */
import { BASE62 } from './base62.ts'
import {
  isRefreshTokenPrefix,
  KEY_BODY_LENGTH,
  KEY_PREFIX_MAX_LENGTH,
  REFRESH_TOKEN_SUFFIX,
} from './key-string.ts'

export interface KeyShape {
  /** What each of these texts begins with; may be empty. */
  readonly prefix: string
  /** The characters that may come after the prefix, each once. */
  readonly alphabet: string
  /** How many of them come after the prefix, at least and at most. */
  readonly minLength: number
  readonly length: number
}

/** What can be guessed offline from a digest without salt is no secret: fewer bits than this are refused. */
export const KEY_SHAPE_MIN_BITS = 128
/** Prefix and random part; a longer text is no key. */
export const KEY_SHAPE_MAX_LENGTH = 255
/** A number written without leading zeros loses a few characters; what varies more is no fixed shape. */
const MAX_VARIATION = 16

/** RFC 6750's characters of a bearer credential, without the dot: a token has two, and no key has one. */
const CHARACTERS = /^[A-Za-z0-9_~+/=:-]*$/
const KEY_PREFIX_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789_'

/** The bits of a random text of this shape: the base-2 logarithm of how many there are. */
export function keyShapeBits({ alphabet, minLength, length }: KeyShape): number {
  let texts = 0
  for (let at = minLength; at <= length; at++) texts += alphabet.length ** (at - length)
  return length * Math.log2(alphabet.length) + Math.log2(texts)
}

/** What is wrong with the shape, in a sentence; undefined: it can be registered. */
export function keyShapeFault(shape: KeyShape): string | undefined {
  const { prefix, alphabet, minLength, length } = shape
  if (!CHARACTERS.test(prefix) || !CHARACTERS.test(alphabet)) {
    return 'A key is of letters, digits and `_ ~ + / = : -`. A dot stands in tokens only.'
  }
  if (alphabet.length < 2 || new Set(alphabet).size !== alphabet.length) {
    return 'The alphabet needs two characters or more, and each of them once.'
  }
  if (minLength < 1 || minLength > length || length - minLength > MAX_VARIATION) {
    return `The lengths must be between 1 and the longest, and at most ${MAX_VARIATION} apart.`
  }
  if (prefix.length + length > KEY_SHAPE_MAX_LENGTH) {
    return `A key is at most ${KEY_SHAPE_MAX_LENGTH} characters long, with its prefix.`
  }
  const bits = keyShapeBits(shape)
  if (bits < KEY_SHAPE_MIN_BITS) {
    return `Texts of this shape have ${bits.toFixed(1)} random bits, and ${KEY_SHAPE_MIN_BITS} are needed: fewer could be guessed from their hashes. Let these keys be replaced.`
  }
  if (prefix.startsWith('clv') || isRefreshTokenPrefix(prefix.replace(/_$/, ''))) {
    return `The prefix is reserved: it must not begin with \`clv\` or end in \`${REFRESH_TOKEN_SUFFIX}\`.`
  }
  if (canBeKeyString(shape)) {
    return `A text of this shape could be one of Claviger's own keys, which end in \`_\` and ${KEY_BODY_LENGTH} letters and digits.`
  }
  return undefined
}

/** Whether any text of the shape could have the form of our own keys and refresh tokens, whatever its checksum. */
function canBeKeyString({ prefix, alphabet, minLength, length }: KeyShape): boolean {
  const mayHold = (at: number, characters: string): boolean =>
    at < prefix.length
      ? characters.includes(prefix.charAt(at))
      : [...alphabet].some((character) => characters.includes(character))
  const longest = KEY_PREFIX_MAX_LENGTH + REFRESH_TOKEN_SUFFIX.length
  for (let end = prefix.length + minLength; end <= prefix.length + length; end++) {
    const separator = end - KEY_BODY_LENGTH - 1
    if (separator < 1 || separator > longest || !mayHold(separator, '_')) continue
    const fits = Array.from({ length: end }, (_, at) =>
      mayHold(at, at < separator ? KEY_PREFIX_CHARACTERS : at === separator ? '_' : BASE62),
    )
    if (fits.every(Boolean)) return true
  }
  return false
}

/** Tells texts of registered shapes from all others. */
export class KeyShapes {
  readonly #patterns: readonly RegExp[]
  readonly #maxLength: number

  constructor(shapes: readonly KeyShape[]) {
    this.#patterns = shapes.map(patternOf)
    this.#maxLength = Math.max(0, ...shapes.map(({ prefix, length }) => prefix.length + length))
  }

  /** In time linear in the text; a text longer than every shape, as tokens are, costs one comparison. */
  matches(text: string): boolean {
    return text.length <= this.#maxLength && this.#patterns.some((pattern) => pattern.test(text))
  }
}

function patternOf({ prefix, alphabet, minLength, length }: KeyShape): RegExp {
  const escaped = (text: string): string => text.replaceAll(/[^A-Za-z0-9_]/g, '\\$&')
  return new RegExp(`^${escaped(prefix)}[${escaped(alphabet)}]{${minLength},${length}}$`)
}
