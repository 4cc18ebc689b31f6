import {
  isKeyPrefix,
  isRefreshTokenPrefix,
  KEY_BODY_LENGTH,
  KEY_LOCATOR_LENGTH,
  KEY_PREFIX_MAX_LENGTH,
  looksLikeKeyString,
  parseKeyString,
} from '../keys/key-string.ts'
import type { Checklist } from './checklist.ts'
import type { CheckName, CredentialKind, Decoded } from './inspection.ts'

const ONLY_THE_SERVER = 'Only its server knows, and none was asked.'
const KNOWN_TO_THE_SERVER: readonly CheckName[] = [
  'registration',
  'revocation',
  'rotation',
  'enabled',
  'expiry',
  'start',
  'address',
  'rights',
]

const COPY_AGAIN = 'Copy it again, whole, from where it was shown. If it is lost there, rotate the key.'
const ISSUED_ELSEWHERE =
  ' If it was issued elsewhere and imported, only its server knows its shape: ask it with `claviger verify`.'

/** Which kind of key its prefix says it is (DESIGN section 7). */
export function kindOfKey(text: string): CredentialKind {
  const prefix = text.slice(0, text.lastIndexOf('_'))
  if (prefix.startsWith('clv_')) return 'management_key'
  return isRefreshTokenPrefix(prefix) ? 'refresh_token' : 'key'
}

/** Checks the text of a key, or of what is nearly one: all of it that can be checked without its server. */
export function inspectKey(text: string, kind: CredentialKind, list: Checklist): Decoded {
  const fault = looksLikeKeyString(text) ? undefined : shapeFault(text)
  if (fault !== undefined) {
    list.fails('form', fault, COPY_AGAIN + ISSUED_ELSEWHERE)
    list.leave(['checksum', ...KNOWN_TO_THE_SERVER], 'It is no whole key that could be looked up.')
    return {}
  }
  list.holds('form', 'It is a prefix, a locator, a secret and a checksum.')
  const bodyStart = text.length - KEY_BODY_LENGTH
  const decoded = {
    prefix: text.slice(0, bodyStart - 1),
    locator: text.slice(bodyStart, bodyStart + KEY_LOCATOR_LENGTH),
  }
  if (parseKeyString(text) === undefined) {
    // The checksum that would fit is no remedy: it would fit a secret that nobody was ever given.
    list.fails('checksum', 'The checksum does not fit: a character of it was changed.', COPY_AGAIN)
    list.leave(KNOWN_TO_THE_SERVER, 'No such key was ever made, so none was looked up.')
    return decoded
  }
  list.holds('checksum', 'The checksum fits: it was copied whole, without a slip.')
  if (kind === 'refresh_token') {
    list.fails('purpose', 'It is a refresh token, which opens nothing by itself.', {
      text: 'Exchange it for an access token (`POST /v1/sessions/refresh`), and present that one.',
    })
  }
  list.leave(KNOWN_TO_THE_SERVER, ONLY_THE_SERVER)
  return decoded
}

/** What of the shape is wrong, in a sentence that holds nothing of the secret. */
function shapeFault(text: string): string {
  const end = text.lastIndexOf('_')
  const prefix = text.slice(0, end)
  const body = text.slice(end + 1)
  if (!/^[0-9A-Za-z]*$/.test(body)) {
    return 'After the prefix of a key stand letters and digits only, and here is something else.'
  }
  if (body.length !== KEY_BODY_LENGTH) {
    const way = body.length < KEY_BODY_LENGTH ? 'cut off' : 'lengthened'
    return `After the prefix of a key stand ${KEY_BODY_LENGTH} characters; here are ${body.length}: it was ${way}.`
  }
  if (prefix.length > KEY_PREFIX_MAX_LENGTH) {
    return `The prefix of a key has ${KEY_PREFIX_MAX_LENGTH} characters at most; here are ${prefix.length}.`
  }
  return isKeyPrefix(prefix)
    ? 'It has not the shape of a key.'
    : 'The prefix of a key is of small letters, digits and single `_` between them.'
}
