import { createHmac, type KeyObject } from 'node:crypto'
import {
  BASE62,
  formatKeyString,
  isRefreshTokenPrefix,
  KEY_LOCATOR_LENGTH,
  KEY_SECRET_LENGTH,
  parseKeyString,
  REFRESH_TOKEN_SUFFIX,
} from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import { makeKeyText } from '../keys/key-text.ts'
import type { Random } from '../random.ts'
import type { MasterKey } from '../storage/master-key.ts'

const BODY_LENGTH = KEY_LOCATOR_LENGTH + KEY_SECRET_LENGTH
const BASE = BigInt(BASE62.length)

/** Makes the texts of refresh tokens, on the caller's side: none goes to the writer thread (rule C1). */
export interface RefreshTokens {
  /** A session's first one: random. */
  first(keyPrefix: string): string
  /** The one that comes after: the same each time, and known to nobody without the project's key (rule S1). */
  successor(projectId: string, text: string): string
}

/**
 * A successor is an HMAC (RFC 2104) of its predecessor's text under a key of the project that is derived from the master
 * key. So it need not be kept to be given again, and whoever reads the database, or an old token, cannot make it. The
 * 512 bits of SHA-512 are cut to the 226 that a key string holds; what that favours is less than 1 in 2^285.
 */
export function createRefreshTokens(masterKey: MasterKey, random: Random): RefreshTokens {
  const keys = new Map<string, KeyObject>()

  function keyOf(projectId: string): KeyObject {
    const key = keys.get(projectId) ?? masterKey.derive(`refresh-token/${projectId}`)
    keys.set(projectId, key)
    return key
  }

  return {
    first: (keyPrefix) => makeKeyText(keyPrefix + REFRESH_TOKEN_SUFFIX, random).text,
    successor(projectId, text) {
      const prefix = parseKeyString(text)?.prefix
      if (prefix === undefined) throw new TypeError('only a refresh token has a successor')
      const body = toBase62(createHmac('sha512', keyOf(projectId)).update(text).digest())
      return formatKeyString(prefix, body.slice(0, KEY_LOCATOR_LENGTH), body.slice(KEY_LOCATOR_LENGTH))
    },
  }
}

/** Refuses a text that is no refresh token, whoever's. It never repeats the text. */
export function checkRefreshToken(text: string): string {
  const parsed = parseKeyString(text)
  if (parsed !== undefined && isRefreshTokenPrefix(parsed.prefix)) return text
  throw new CodedError(
    'invalid_request',
    '`refreshToken` is no refresh token: it was mistyped, cut short, or is a credential of another kind.',
  )
}

function toBase62(bytes: Buffer): string {
  let rest = BigInt(`0x${bytes.toString('hex')}`)
  let text = ''
  while (text.length < BODY_LENGTH) {
    text += BASE62.charAt(Number(rest % BASE))
    rest /= BASE
  }
  return text
}
