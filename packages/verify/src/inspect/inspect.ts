import { MAX_CREDENTIAL_BYTES } from '../tokens/parse-token.ts'
import { type Refusal, refuse } from '../verdict.ts'
import { Checklist } from './checklist.ts'
import { flattenJsonToken, isJsonToken } from './flatten-json-token.ts'
import { inspectKey, kindOfKey } from './inspect-key.ts'
import { inspectToken } from './inspect-token.ts'
import type { Check, CheckName, CredentialKind, Decoded, Inspection, InspectRequest } from './inspection.ts'
import { unwrap } from './unwrap.ts'

/** What was made of a text, once nothing stands around it. */
interface Read {
  readonly kind: CredentialKind
  readonly decoded: Decoded
  /** The credential in its one right spelling; undefined when it has none. */
  readonly canonical?: string
}

/** What a right spelling mends. */
const SPELLING: ReadonlySet<CheckName> = new Set([
  'characters',
  'form',
  'header_encoding',
  'payload_encoding',
  'signature_encoding',
])

/**
 * Takes any text for the credential that it may be, and says check by check what a verifier would find, and what
 * would make it valid. It sends nothing anywhere, so what only a server knows stays `unchecked`. Never throws;
 * text beyond 8192 characters is not looked at, so that its time is bounded by that and one signature check a key.
 *
 * Given the issuer's JWKS, the issuer, the audience and the time, its verdict is that of a verifier that knows no more
 * than these. What it decodes is what the credential says, which is not what is true.
 */
export function inspect(request: InspectRequest): Inspection {
  const { credential } = request
  const list = new Checklist()
  const { kind, decoded, canonical } = read(credential, request, list)
  const checks = list.inOrder().map((check) => mend(check, credential, canonical, list))
  const verdict = verdictOf(checks)
  return verdict === undefined ? { kind, decoded, checks } : { kind, decoded, checks, verdict }
}

function read(credential: string, request: InspectRequest, list: Checklist): Read {
  if (typeof credential !== 'string') return notRecognised(list, 'The credential is no text.')
  if (credential.length > MAX_CREDENTIAL_BYTES) {
    list.fails(
      'size',
      `It has ${credential.length} characters. No verifier looks at more than ${MAX_CREDENTIAL_BYTES}.`,
      'Ask for a token with fewer claims, or present less than a whole file.',
    )
    return { kind: 'unrecognised', decoded: {} }
  }
  list.holds('size', `It has ${credential.length} of ${MAX_CREDENTIAL_BYTES} characters at most.`)
  const { text, removed } = unwrap(credential)
  if (removed.length > 0) {
    list.fails(
      'characters',
      `It does not stand alone: it comes with ${removed.join(', ')}.`,
      'Take them away.',
    )
  } else if (/[^\x21-\x7e]/.test(text) && !text.startsWith('{') && !text.startsWith('-----BEGIN')) {
    list.fails(
      'characters',
      'It has characters that no credential has: letters with accents, quotation marks, dots in one character.',
      'Copy it again, from where no program improves its typography.',
    )
  } else list.holds('characters', 'Nothing stands around it, and no character is foreign to it.')
  return readAlone(text, request, list)
}

function readAlone(text: string, request: InspectRequest, list: Checklist): Read {
  if (text === '') return notRecognised(list, 'It is empty.')
  if (text.startsWith('-----BEGIN')) return readPem(text, list)
  if (text.startsWith('{')) return readJson(text, request, list)
  if (text.includes('.') || text.startsWith('eyJ')) return inspectToken(text, request, list)
  if (!text.includes('_')) return notRecognised(list, 'It is neither a key nor a token.')
  const kind = kindOfKey(text)
  const decoded = inspectKey(text, kind, list)
  return { kind, decoded, canonical: list.hasFailed('form') ? undefined : text }
}

function readPem(text: string, list: Checklist): Read {
  const isPrivate = /^-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text)
  list.fails(
    'form',
    isPrivate
      ? 'It is a private key, and no credential.'
      : 'It is a public key or a certificate, and no credential.',
    isPrivate
      ? 'Nobody but its owner may have it: if it was sent to somebody, retire it. Present a token signed with it.'
      : 'Present a token signed with the private key that belongs to it.',
  )
  return { kind: 'pem', decoded: {} }
}

function readJson(text: string, request: InspectRequest, list: Checklist): Read {
  const compact = flattenJsonToken(text)
  if (compact === undefined && !isJsonToken(text)) {
    return notRecognised(list, 'It is JSON, and neither a key nor a token.')
  }
  const token = compact === undefined ? undefined : inspectToken(compact, request, list)
  list.fails(
    'form',
    'It is a token in JSON, and only the compact form, of three parts with dots between them, is read.',
    'Present it in the compact form.',
  )
  return { ...token, kind: 'json_token', decoded: token?.decoded ?? {} }
}

function notRecognised(list: Checklist, detail: string): Read {
  list.fails(
    'form',
    detail,
    'Present the text of a key, as `ck_…`, or of an access token, as `eyJ….….…`. If it is a key that was issued elsewhere and imported, only its server knows its shape: ask it with `claviger verify`.',
  )
  return { kind: 'unrecognised', decoded: {} }
}

/** Adds the right spelling to the remedy of a check that it mends, unless something else would be wrong with it. */
function mend(check: Check, given: string, canonical: string | undefined, list: Checklist): Check {
  if (check.remedy === undefined || !SPELLING.has(check.name)) return check
  if (canonical === undefined || canonical === given || !isSound(list)) return check
  return { ...check, remedy: { ...check.remedy, credential: canonical } }
}

/** Whether the credential is malformed in its spelling only, and signed as far as is known. */
function isSound(list: Checklist): boolean {
  return list
    .inOrder()
    .every(
      ({ name, code, outcome }) =>
        outcome !== 'fails' || SPELLING.has(name) || (code !== 'malformed' && code !== 'bad_signature'),
    )
}

function verdictOf(checks: readonly Check[]): Refusal | undefined {
  const first = checks.find(({ outcome }) => outcome === 'fails')
  return first === undefined ? undefined : refuse(first.code, first.detail)
}
