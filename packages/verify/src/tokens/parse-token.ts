import { decodeBase64UrlInto, decodedBytes } from './base64url.ts'
import { type Payload, payloadOf } from './payload.ts'
import { payloadReader } from './plain-payload.ts'
import { parseStrictJson } from './strict-json.ts'
import type { TokenFault } from './token-fault.ts'
import { parseHeader, type TokenHeader } from './token-header.ts'
import { decodeUtf8, utf8 } from './utf8.ts'

export type { TokenFault } from './token-fault.ts'
export type { TokenHeader } from './token-header.ts'

/** The longest text that is looked at. Checked before any other work. */
export const MAX_CREDENTIAL_BYTES = 8192

/**
 * A token taken apart. Nothing in it is true before its signature was checked, which has to be done there and
 * then: the bytes hold only until the next token is taken apart.
 */
export interface ParsedToken {
  readonly header: TokenHeader
  readonly payload: Payload
  /** What was signed: the first two parts with the dot between them. */
  readonly signingInput: string
  /** The same as bytes. */
  readonly signedBytes: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Where tokens are taken apart: the text as bytes, the payload's and the signature's. Shared by all calls: new
 * memory for each would cost more than all the rest.
 */
const source = new Uint8Array(MAX_CREDENTIAL_BYTES)
const decoded = new Uint8Array(decodedBytes(MAX_CREDENTIAL_BYTES))
const decodedSignature = new Uint8Array(decodedBytes(MAX_CREDENTIAL_BYTES))
const readPlain = payloadReader(decoded)

/**
 * Takes a token apart: the compact serialisation of a JWS (RFC 7515, section 7.1) and nothing else, every
 * part canonical, header and payload strict JSON, `typ` an access token's (RFC 9068). Never throws.
 *
 * No two texts give the same token, so whoever changed a character changed what is signed or the signature.
 */
export function parseToken(text: string): ParsedToken | TokenFault {
  // No text has fewer bytes than characters; one that has more is refused below.
  if (text.length > MAX_CREDENTIAL_BYTES) {
    return { fault: `The token is longer than ${MAX_CREDENTIAL_BYTES} bytes.` }
  }
  const headerEnd = text.indexOf('.')
  const payloadEnd = text.indexOf('.', headerEnd + 1)
  if (headerEnd < 0 || payloadEnd < 0 || text.indexOf('.', payloadEnd + 1) >= 0) {
    return { fault: 'A token has three parts, with dots between them.' }
  }
  const { read, written } = utf8.encodeInto(text, source)
  if (read !== text.length || written !== text.length) return { fault: 'A token is ASCII.' }
  const header = parseHeader(text.slice(0, headerEnd))
  if ('fault' in header) return header
  const signature = decodeSignature(payloadEnd + 1, text.length)
  if (signature === undefined) return { fault: 'The signature of the token is not strict base64url.' }
  if (signature.length === 0) return { fault: 'The token is not signed.' }
  const payload = decodePayload(headerEnd + 1, payloadEnd)
  if (payload === undefined) return { fault: 'The payload of the token is not strict base64url and JSON.' }
  return {
    header,
    payload,
    signingInput: text.slice(0, payloadEnd),
    signedBytes: new Uint8Array(source.buffer, 0, payloadEnd),
    signature,
  }
}

function decodePayload(start: number, end: number): Payload | undefined {
  const length = decodeBase64UrlInto(source, start, end, decoded)
  if (length < 0) return undefined
  const plain = readPlain(length)
  if (plain !== undefined) return plain
  const json = decodeUtf8(new Uint8Array(decoded.buffer, 0, length))
  const members = json === undefined ? undefined : parseStrictJson(json)
  return members === undefined ? undefined : payloadOf(members)
}

function decodeSignature(start: number, end: number): Uint8Array | undefined {
  const length = decodeBase64UrlInto(source, start, end, decodedSignature)
  return length < 0 ? undefined : new Uint8Array(decodedSignature.buffer, 0, length)
}
