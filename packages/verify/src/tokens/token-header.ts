import { decodeBase64Url } from './base64url.ts'
import { parseStrictJson } from './strict-json.ts'
import type { TokenFault } from './token-fault.ts'
import { decodeUtf8, utf8 } from './utf8.ts'

/** What of a JWS header counts here. */
export interface TokenHeader {
  /** A claim, not a choice: the signing key decides the algorithm. */
  readonly alg: string
  /** Names the signing key. */
  readonly kid: string
  /** In lower case, without `application/`. */
  readonly typ: string
}

/**
 * Members that ask a verifier for something it must not do for a stranger (RFC 8725, section 3): trust a key
 * that the token brings, fetch one, unwrap, or understand an extension. Most verifiers ignore those that they
 * do not use; no token of ours has them, so here they are refused.
 */
export const REFUSED_MEMBERS = ['crit', 'b64', 'jwk', 'jku', 'x5u', 'x5c', 'zip', 'enc']

const ACCESS_TOKEN_TYPE = 'at+jwt'
const MAX_CACHED = 256

/**
 * Headers seen, by their text: all tokens of one signing key share one. Only good ones are kept, so that a
 * stranger gains nothing by sending others, but that the oldest is read again.
 */
const cache = new Map<string, TokenHeader>()

/** Reads the first part of a token. */
export function parseHeader(text: string): TokenHeader | TokenFault {
  const known = cache.get(text)
  if (known !== undefined) return known
  const bytes = decodeBase64Url(text)
  const json = bytes === undefined ? undefined : decodeUtf8(bytes)
  // Blanks before the object are written by nobody, and by such a text no redactor knows a token.
  const members = json?.startsWith('{') === true ? parseStrictJson(json) : undefined
  if (members === undefined) return { fault: 'The header of the token is not strict base64url and JSON.' }
  const header = readHeader(members)
  if (!('fault' in header)) remember(text, header)
  return header
}

/** Reads the members of a header. Never throws. */
export function readHeader(members: Readonly<Record<string, unknown>>): TokenHeader | TokenFault {
  for (const name of REFUSED_MEMBERS) {
    if (Object.hasOwn(members, name)) return { fault: `The header of the token has the member ${name}.` }
  }
  const { alg, kid, typ } = members
  if (typeof alg !== 'string' || alg === '') return { fault: 'The header of the token names no algorithm.' }
  if (alg.trim().toLowerCase() === 'none') return { fault: 'The token is not signed.' }
  if (typeof kid !== 'string' || kid === '') return { fault: 'The header of the token names no signing key.' }
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined
  if (type !== ACCESS_TOKEN_TYPE) return { fault: 'The token is no access token: its typ is not at+jwt.' }
  return Object.freeze({ alg, kid, typ: type })
}

function remember(text: string, header: TokenHeader): void {
  if (cache.size >= MAX_CACHED) {
    for (const oldest of cache.keys()) {
      cache.delete(oldest)
      break
    }
  }
  cache.set(detached(text), header)
}

/** A text of its own: a slice would keep the whole token, from which it was cut, in memory. */
function detached(slice: string): string {
  return decodeUtf8(utf8.encode(slice)) ?? slice
}
