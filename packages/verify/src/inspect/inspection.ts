import type { Refusal, VerdictCode } from '../verdict.ts'

/**
 * Every check of an inspection, in the order in which it is listed, with what a verifier answers when it fails.
 * The codes stand in the order of precedence, so that the first check that fails is the verifier's answer.
 */
export const CHECK_CODES = {
  size: 'malformed',
  characters: 'malformed',
  form: 'malformed',
  checksum: 'malformed',
  header_encoding: 'malformed',
  header_json: 'malformed',
  extensions: 'malformed',
  alg: 'malformed',
  kid: 'malformed',
  typ: 'malformed',
  signature_encoding: 'malformed',
  payload_encoding: 'malformed',
  payload_json: 'malformed',
  iss: 'malformed',
  sub: 'malformed',
  aud: 'malformed',
  exp: 'malformed',
  iat: 'malformed',
  nbf: 'malformed',
  jti: 'malformed',
  client_id: 'malformed',
  sid: 'malformed',
  scope: 'malformed',
  roles: 'malformed',
  permissions: 'malformed',
  pos: 'malformed',
  cnf: 'malformed',
  purpose: 'unknown',
  registration: 'unknown',
  issuer: 'unknown',
  signing_key: 'unknown',
  algorithm: 'unknown',
  signature: 'bad_signature',
  audience: 'wrong_audience',
  revocation: 'revoked',
  rotation: 'rotated_out',
  enabled: 'disabled',
  expiry: 'expired',
  start: 'not_yet_valid',
  proof: 'proof_required',
  address: 'ip_denied',
  rights: 'insufficient_permissions',
} as const satisfies Record<string, VerdictCode>

export type CheckName = keyof typeof CHECK_CODES

/** What would make a check hold. Without another member than `text` it is the issuer's to give, or nobody's. */
export interface Remedy {
  /** What to do, in a sentence or two for a person. */
  readonly text: string
  /** The credential as it should have been presented. As secret as what was inspected. */
  readonly credential?: string
  /** The audience to require of it, if that is who asks. */
  readonly audience?: string
  /** From when on it holds. Epoch milliseconds. */
  readonly atMs?: number
}

export interface Check {
  readonly name: CheckName
  /** What a verifier answers when this is the first check that fails. */
  readonly code: VerdictCode
  /** `unchecked`: what it takes was not given, only a server knows it, or an earlier check left nothing to look at. */
  readonly outcome: 'holds' | 'fails' | 'unchecked'
  /** One sentence for a person. */
  readonly detail: string
  readonly remedy?: Remedy
}

/** What a text was taken for. Only `key`, `management_key` and `token` are presented to an API. */
export type CredentialKind =
  | 'key'
  | 'management_key'
  | 'refresh_token'
  | 'token'
  | 'encrypted_token'
  | 'json_token'
  | 'pem'
  | 'unrecognised'

/** What can be read without any key. Nothing of it is true because it stands there. */
export interface Decoded {
  /** Keys and refresh tokens: the part before the locator. */
  readonly prefix?: string
  /** Keys and refresh tokens: the public part that names the secret. */
  readonly locator?: string
  readonly header?: Readonly<Record<string, unknown>>
  readonly payload?: Readonly<Record<string, unknown>>
}

export interface Inspection {
  readonly kind: CredentialKind
  readonly decoded: Decoded
  /** In the order of {@link CHECK_CODES}; those that say nothing about such a credential are left out. */
  readonly checks: readonly Check[]
  /** What a verifier would answer. Absent: nothing that could be checked here fails. */
  readonly verdict?: Refusal
}

export interface InspectRequest {
  /** Any text. */
  readonly credential: string
  /** The public signing keys of the issuer, a JWK Set (RFC 7517, section 5). Without it no signature is checked. */
  readonly jwks?: unknown
  /** The issuer whose tokens are accepted. */
  readonly issuer?: string
  /** The service that asks: one or more values of `aud`, or `any`. */
  readonly audience?: string | readonly string[]
  /** Epoch milliseconds. Default: the clock of this machine. */
  readonly nowMs?: number
}
