import { decodeBase64Url } from '../tokens/base64url.ts'
import type { Checklist } from './checklist.ts'
import { type Diagnosis, diagnoseJson } from './diagnose-json.ts'
import { CHECKED_CLAIMS, inspectClaims } from './inspect-claims.ts'
import { inspectHeader } from './inspect-header.ts'
import { inspectSignature } from './inspect-signature.ts'
import { inspectValidity } from './inspect-validity.ts'
import type { CheckName, CredentialKind, Decoded, InspectRequest } from './inspection.ts'
import { respellBase64Url } from './respell-base64url.ts'

/** What was read of a token. */
interface InspectedToken {
  readonly kind: CredentialKind
  readonly decoded: Decoded
  /** The token in its one right spelling; undefined when it has none. */
  readonly canonical: string | undefined
}

const PAYLOAD_CHECKS: readonly CheckName[] = [
  'payload_json',
  ...CHECKED_CLAIMS,
  'issuer',
  'audience',
  'revocation',
  'enabled',
  'expiry',
  'start',
  'proof',
  'rights',
]
const SIGNATURE_CHECKS: readonly CheckName[] = ['signing_key', 'algorithm', 'signature']

const RESPELL = 'Write it as RFC 7515 does: no padding, no blanks, `-` and `_`, unused bits zero.'

/** Checks a token, or what is nearly one, part by part: what is wrong with one part hides nothing of the others. */
export function inspectToken(text: string, request: InspectRequest, list: Checklist): InspectedToken {
  const { kind, parts } = takeApart(text, list)
  const [headerPart, payloadPart, signaturePart] = parts
  const header = readJsonPart('header', headerPart, list)
  const payload = readJsonPart('payload', payloadPart, list)
  const signature = readSignature(signaturePart, list)
  const members = header?.diagnosis.members
  if (members === undefined) list.leave(['extensions', 'alg', 'kid', 'typ'], 'The header cannot be read.')
  else inspectHeader(members, list)
  if (payload?.diagnosis.members === undefined) list.leave(PAYLOAD_CHECKS, 'The payload cannot be read.')
  else inspectValidity(inspectClaims(payload.diagnosis.members, list), request, list)
  const decoded = { header: members, payload: payload?.diagnosis.members }
  const signatureBytes = signature === undefined ? undefined : decodeBase64Url(signature)
  if (header === undefined || payload === undefined || signatureBytes === undefined) {
    list.leave(SIGNATURE_CHECKS, 'There is no signed token to check it of.')
    return { kind, decoded, canonical: undefined }
  }
  const signingInput = `${header.text}.${payload.text}`
  const named = {
    kid: textOf(members?.kid),
    alg: textOf(members?.alg),
    signingInput,
    signature: signatureBytes,
  }
  inspectSignature(named, request.jwks, list)
  return { kind, decoded, canonical: `${signingInput}.${signature}` }
}

/** The parts between the dots: header, payload, signature. Those that mean something else are left out. */
function takeApart(text: string, list: Checklist): { kind: CredentialKind; parts: string[] } {
  const given = text.split('.', 8)
  const parts = given.length === 4 ? withoutDotAround(given) : given
  if (given.length === 3) list.holds('form', 'It has three parts: header, payload and signature.')
  else if (parts.length === 3) {
    list.fails('form', 'A dot stands before or after it.', 'Take the dot away.')
  } else if (given.length === 5) {
    list.fails(
      'form',
      'It is encrypted (a JWE, of five parts). What anybody can encrypt proves nothing.',
      'Ask for a signed token of three parts, or decrypt it where its key is and present what is inside.',
    )
    return { kind: 'encrypted_token', parts: given.slice(0, 1) }
  } else if (given.length === 2) {
    list.fails('form', 'A token has three parts, and here are two: the signature is missing.', {
      text: 'Copy the token again, whole: what nobody signed is none.',
    })
  } else {
    list.fails(
      'form',
      'A token has three parts, with dots between them.',
      'Copy the token again, whole, and nothing else.',
    )
    return { kind: 'token', parts: given.slice(0, 1) }
  }
  return { kind: 'token', parts }
}

function withoutDotAround(parts: string[]): string[] {
  if (parts.at(-1) === '') return parts.slice(0, -1)
  return parts[0] === '' ? parts.slice(1) : parts
}

/** Header or payload; undefined when it is absent or no base64 at all. */
function readJsonPart(
  part: 'header' | 'payload',
  given: string | undefined,
  list: Checklist,
): { text: string; diagnosis: Diagnosis } | undefined {
  const bytes = readEncoding(`${part}_encoding`, part, given, list)
  if (bytes === undefined) {
    list.leave([`${part}_json`], `The ${part} cannot be read.`)
    return undefined
  }
  const diagnosis = diagnoseJson(bytes.bytes)
  if (diagnosis.fault === undefined) list.holds(`${part}_json`, `The ${part} is strict JSON.`)
  else {
    list.fails(
      `${part}_json`,
      `The ${part} ${diagnosis.fault}.`,
      'It cannot be repaired: the signature covers it. Ask the issuer for a token of strict JSON.',
    )
  }
  return { text: bytes.text, diagnosis }
}

/** The signature in its right spelling. */
function readSignature(given: string | undefined, list: Checklist): string | undefined {
  const read = readEncoding('signature_encoding', 'signature', given, list)
  if (read === undefined || read.bytes.length > 0) return read?.text
  list.fails(
    'signature_encoding',
    'The signature is empty: nobody signed the token.',
    'Copy the token again, whole. What nobody signed, anybody may have written.',
  )
  return undefined
}

function readEncoding(
  name: 'header_encoding' | 'payload_encoding' | 'signature_encoding',
  part: string,
  given: string | undefined,
  list: Checklist,
): { text: string; bytes: Uint8Array } | undefined {
  if (given === undefined) {
    list.unchecked(name, `The ${part} could not be told from the rest.`)
    return undefined
  }
  const { text, faults } = respellBase64Url(given)
  if (faults.length === 0) list.holds(name, `The ${part} is base64url.`)
  else {
    list.fails(
      name,
      `The ${part} is not strict base64url: it has ${faults.join(', ')}.`,
      text === undefined ? 'Copy the token again, whole: a character was changed, added or lost.' : RESPELL,
    )
  }
  const bytes = text === undefined ? undefined : decodeBase64Url(text)
  return text === undefined || bytes === undefined ? undefined : { text, bytes }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
