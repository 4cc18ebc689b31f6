/**
 * The text of an API key: `<prefix>_<locator><secret><checksum>` (DESIGN section 7).
 *
 * The body after the last `_` is base62 and of fixed length, so that a double-click selects the whole key,
 * and the checksum lets anyone prove that a text is a key without asking whose.
 */
import { encodeBase62 } from './base62.ts'
import { crc32 } from './crc32.ts'

export const KEY_LOCATOR_LENGTH = 8
/** 30 digits of base62: 178 bits. */
export const KEY_SECRET_LENGTH = 30
export const KEY_CHECKSUM_LENGTH = 6
export const KEY_PREFIX_MAX_LENGTH = 24

/** What the prefix of a refresh token ends in: that of its project's keys, and this. */
export const REFRESH_TOKEN_SUFFIX = '_rt'

const REFRESH_PREFIX_MAX_LENGTH = KEY_PREFIX_MAX_LENGTH + REFRESH_TOKEN_SUFFIX.length
/** What comes after the last `_`. */
export const KEY_BODY_LENGTH = KEY_LOCATOR_LENGTH + KEY_SECRET_LENGTH + KEY_CHECKSUM_LENGTH
/** No key and no refresh token is longer. */
export const KEY_MAX_LENGTH = REFRESH_PREFIX_MAX_LENGTH + 1 + KEY_BODY_LENGTH

const PREFIX = /^[a-z0-9]+(?:_[a-z0-9]+)*$/
const LOCATOR = new RegExp(`^[0-9A-Za-z]{${KEY_LOCATOR_LENGTH}}$`)
const SECRET = new RegExp(`^[0-9A-Za-z]{${KEY_SECRET_LENGTH}}$`)
const SHAPE = new RegExp(`^[a-z0-9]+(?:_[a-z0-9]+)*_[0-9A-Za-z]{${KEY_BODY_LENGTH}}$`)

/**
 * Finds keys in running text, to redact them: global, so give it to `replaceAll`. It matches a little more
 * than keys, in time linear in the text. It keeps the place of its last `exec` or `test`: do not call those.
 */
export const KEY_PATTERN = new RegExp(
  `[a-z0-9][a-z0-9_]{0,${REFRESH_PREFIX_MAX_LENGTH - 1}}_[0-9A-Za-z]{${KEY_BODY_LENGTH}}`,
  'g',
)

/** A text proved to be a key. Whose, and whether it still opens anything, only the authority knows. */
export interface KeyString {
  readonly prefix: string
  /** Public: names the secret in logs, the console and leak reports. */
  readonly locator: string
  /** The whole text: a secret. */
  readonly text: string
}

/** Reads a key; undefined when shape or checksum say that the text is none. */
export function parseKeyString(text: string): KeyString | undefined {
  if (!looksLikeKeyString(text)) return undefined
  const checksumStart = text.length - KEY_CHECKSUM_LENGTH
  if (text.slice(checksumStart) !== checksumOf(text.slice(0, checksumStart))) return undefined
  const bodyStart = text.length - KEY_BODY_LENGTH
  return {
    prefix: text.slice(0, bodyStart - 1),
    locator: text.slice(bodyStart, bodyStart + KEY_LOCATOR_LENGTH),
    text,
  }
}

/** Whether the text has the shape of a key; the checksum may still be wrong. */
export function looksLikeKeyString(text: string): boolean {
  const prefixLength = text.length - KEY_BODY_LENGTH - 1
  return prefixLength <= REFRESH_PREFIX_MAX_LENGTH && SHAPE.test(text) && fits(text.slice(0, prefixLength))
}

/**
 * Writes a key. Any prefix of the grammar is taken, a reserved one too: management keys have one.
 * Throws a TypeError when a part does not fit.
 */
export function formatKeyString(prefix: string, locator: string, secret: string): string {
  if (!isKeyPrefix(prefix)) throw new TypeError('The prefix of a key does not fit its grammar.')
  if (!LOCATOR.test(locator)) throw new TypeError('The locator of a key does not fit its grammar.')
  if (!SECRET.test(secret)) throw new TypeError('The secret of a key does not fit its grammar.')
  const unchecked = `${prefix}_${locator}${secret}`
  return unchecked + checksumOf(unchecked)
}

export function isKeyPrefix(text: string): boolean {
  return text.length <= REFRESH_PREFIX_MAX_LENGTH && PREFIX.test(text) && fits(text)
}

/** Whether a prefix is kept for Claviger's own: management keys, and the refresh tokens of projects. */
export function isReservedKeyPrefix(text: string): boolean {
  return text.startsWith('clv') || isRefreshTokenPrefix(text)
}

/** Whether a text with this prefix is a refresh token: it opens nothing, and goes to whoever refreshes alone. */
export function isRefreshTokenPrefix(prefix: string): boolean {
  return prefix.endsWith(REFRESH_TOKEN_SUFFIX)
}

/** A refresh token's prefix may be longer by its suffix, so that every project's prefix can have one. */
function fits(prefix: string): boolean {
  return prefix.length <= (isRefreshTokenPrefix(prefix) ? REFRESH_PREFIX_MAX_LENGTH : KEY_PREFIX_MAX_LENGTH)
}

function checksumOf(unchecked: string): string {
  return encodeBase62(crc32(unchecked), KEY_CHECKSUM_LENGTH)
}
