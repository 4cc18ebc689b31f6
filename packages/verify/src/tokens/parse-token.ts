import { decodeUtf8 } from '../crypto.ts'
import { decodeBase64Url } from './base64url.ts'
import { parseStrictJson } from './strict-json.ts'
import type { TokenFault } from './token-fault.ts'
import { parseHeader, type TokenHeader } from './token-header.ts'

export type { TokenFault } from './token-fault.ts'
export type { TokenHeader } from './token-header.ts'

/** The longest text that is looked at. Checked before any other work. */
export const MAX_CREDENTIAL_BYTES = 8192

/** A token taken apart. Nothing in it is true before its signature was checked. */
export interface ParsedToken {
  readonly header: TokenHeader
  readonly payload: Record<string, unknown>
  /** What was signed: the first two parts with the dot between them. */
  readonly signingInput: string
  readonly signature: Uint8Array
}

/**
 * Takes a token apart: the compact serialisation of a JWS (RFC 7515, section 7.1) and nothing else, every
 * part canonical, header and payload strict JSON, `typ` an access token's (RFC 9068). Never throws.
 *
 * No two texts give the same token, so whoever changed a character changed what is signed or the signature.
 */
export function parseToken(text: string): ParsedToken | TokenFault {
  // A character is a byte or more, and one that is more is refused below.
  if (text.length > MAX_CREDENTIAL_BYTES) {
    return { fault: `The token is longer than ${MAX_CREDENTIAL_BYTES} bytes.` }
  }
  const headerEnd = text.indexOf('.')
  const payloadEnd = text.indexOf('.', headerEnd + 1)
  if (headerEnd < 0 || payloadEnd < 0 || text.indexOf('.', payloadEnd + 1) >= 0) {
    return { fault: 'A token has three parts, with dots between them.' }
  }
  const header = parseHeader(text.slice(0, headerEnd))
  if ('fault' in header) return header
  const signature = decodeBase64Url(text.slice(payloadEnd + 1))
  if (signature === undefined) return { fault: 'The signature of the token is not strict base64url.' }
  if (signature.length === 0) return { fault: 'The token is not signed.' }
  const bytes = decodeBase64Url(text.slice(headerEnd + 1, payloadEnd))
  const json = bytes === undefined ? undefined : decodeUtf8(bytes)
  const payload = json === undefined ? undefined : parseStrictJson(json)
  if (payload === undefined) return { fault: 'The payload of the token is not strict base64url and JSON.' }
  return { header, payload, signingInput: text.slice(0, payloadEnd), signature }
}
