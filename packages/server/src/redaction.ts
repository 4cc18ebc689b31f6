import { KEY_PATTERN } from '@claviger/verify'

const REDACTED = '[redacted]'

/** A credential header with its value, however it was written into a line: JSON, `inspect`, or as on the wire. */
const HEADER_PATTERN =
  /(authorization|x-api-key)(\\{0,8}["']?\s{0,8}[:=,]\s{0,8}\[?\s{0,8}\\{0,8}["']?)(?:[^"\\\r\n]|\\.)+/gi

/** Where it is found nowhere, neither is the other: it is looked for much faster. */
const PART_OF_HEADER = /iza|-key/i

/** A member `credential` with its value, as JSON and `inspect` write it: a key that was issued elsewhere has no shape of ours. */
const MEMBER_PATTERN = /(credential\\{0,8}["']?\s{0,8}:\s{0,8}\\{0,8}["'])(?:[^"'\\\r\n]|\\(?!\\{0,8}["']))+/g

/** Runs of what a compact JWS or JWE is written in. */
const TOKEN_RUN = /[A-Za-z0-9_.-]{32,}/g

/**
 * Takes every credential out of a text that is about to be written down, by shape alone: a forged one is hidden
 * like a real one, and in a credential header whatever stands there. It hides too much rather than too little.
 *
 * It is the last line of defence. What is logged is chosen so that no credential is in it; this holds where a
 * library, an error's message or a later change puts one in. Its time is linear in the text.
 */
export function redact(text: string): string {
  const withoutCredentials = mayHoldCredential(text)
    ? // Tokens come first: a part of one can look like a key, and without it the rest would look like nothing.
      text.replaceAll(TOKEN_RUN, redactToken).replaceAll(KEY_PATTERN, REDACTED)
    : text
  const withoutHeaders = PART_OF_HEADER.test(withoutCredentials)
    ? withoutCredentials.replaceAll(HEADER_PATTERN, `$1$2${REDACTED}`)
    : withoutCredentials
  return withoutHeaders.includes('credential')
    ? withoutHeaders.replaceAll(MEMBER_PATTERN, `$1${REDACTED}`)
    : withoutHeaders
}

/** What `TOKEN_RUN` is made of. A key's text is made of some of it. */
const RUN_CHARACTER = new Uint8Array(128)
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-') {
  RUN_CHARACTER[character.charCodeAt(0)] = 1
}
const TOKEN_LENGTH = 32
/** No key's text is shorter. An id is, and stands in every line. */
const KEY_LENGTH = 44

/**
 * False: neither of the two patterns matches. They try anew at each character, and took longer than all the rest of a line.
 * A run that is long enough stands on one of the places that are looked at here, so most of a line is not.
 */
function mayHoldCredential(text: string): boolean {
  for (let place = TOKEN_LENGTH - 1; place < text.length; place += TOKEN_LENGTH) {
    let start = place
    while (start >= 0 && isRunCharacter(text, start)) start--
    let end = place
    while (end < text.length && isRunCharacter(text, end)) end++
    const length = end - start - 1
    if (length >= KEY_LENGTH) return true
    if (length >= TOKEN_LENGTH && text.slice(start + 1, end).split('.').length > 2) return true
  }
  return false
}

function isRunCharacter(text: string, index: number): boolean {
  return RUN_CHARACTER[text.charCodeAt(index)] === 1
}

/**
 * A token begins with a JSON object, and so with `ey` (`{"` or `{ ` in base64url) or `ew` (a line feed or a tab after the
 * brace), and has two dots or more. The whole run goes: a key may stand in it as well.
 */
function redactToken(run: string): string {
  const start = run.search(/e[wy]/)
  const secondDot = start === -1 ? -1 : run.indexOf('.', run.indexOf('.', start) + 1)
  return secondDot > start ? REDACTED : run
}
