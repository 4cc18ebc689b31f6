import {
  formatPosition,
  type HeaderAlgorithm,
  type Position,
  parseStrictJson,
  signingAlgorithmOf,
} from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import type { Actor } from '../commands/command.ts'
import { newId } from '../random.ts'
import type { GivenRights } from '../roles/role-permissions.ts'
import { formatTime } from '../time.ts'
import type { MintedToken, MintScope } from './mint-token.ts'

/** The `client_id` of tokens that the embedding program mints. */
const EMBEDDED_CLIENT = 'embedded'

/** What an access token says. Whoever asks for one has checked that it may be said. */
export interface AccessToken {
  readonly subject: string
  readonly audience: string | readonly string[]
  readonly given: GivenRights
  /** Claims besides; none of these has a meaning already (custom-claims.ts). */
  readonly claims: Readonly<Record<string, unknown>>
  readonly clientId: string
  /** Null: of no session. */
  readonly sessionId: string | null
  /** The smallest of its parents (rule V2). */
  readonly position: Position
  /** By the name that its header carries. */
  readonly algorithm: HeaderAlgorithm
  readonly issuedAtMs: number
  readonly ttlSeconds: number
  /** The end of what it comes from, which it does not outlive (rule R4); null: it comes from nothing that ends. */
  readonly notAfterMs: number | null
}

/** A management key acts as the client of what it issues, so that revoking the key revokes that too (rule V5). */
export function clientIdOf(actor: Actor): string {
  return actor.kind === 'management-key' ? actor.keyId : EMBEDDED_CLIENT
}

/**
 * Writes an access token (RFC 9068) and signs it on the thread pool, once this process's own verifier has applied its
 * position (rule V2). Throws `invalid_request` for one that no verifier would read.
 */
export async function signAccessToken(scope: MintScope, token: AccessToken): Promise<MintedToken> {
  const { given, sessionId, position, notAfterMs } = token
  const algorithm = signingAlgorithmOf(token.algorithm)
  const facts = await scope.mintFacts.current(scope)
  const issuer = await facts.issuer(algorithm)
  const signingKeyId =
    issuer.signingKeyId ?? (await scope.keyring.begin({ projectId: scope.projectId, algorithm }))
  const id = newId('tok', token.issuedAtMs, scope.random)
  const issuedAt = Math.floor(token.issuedAtMs / 1000)
  const lastSecond = notAfterMs === null ? Number.POSITIVE_INFINITY : Math.floor(notAfterMs / 1000)
  const expiresAt = Math.min(issuedAt + token.ttlSeconds, lastSecond)
  const claims = {
    ...token.claims,
    iss: issuer.url,
    sub: token.subject,
    aud: token.audience,
    exp: expiresAt,
    iat: issuedAt,
    jti: id,
    client_id: token.clientId,
    ...(sessionId === null ? {} : { sid: sessionId }),
    // Absent: nothing narrows. Empty: nothing is permitted (rule R2).
    ...(given.scopes === null ? {} : { scope: given.scopes.join(' ') }),
    ...(given.roles.length === 0 ? {} : { roles: given.roles }),
    ...(given.permissions.length === 0 ? {} : { permissions: given.permissions }),
    pos: formatPosition(position),
  }
  await scope.waitForApplied(issuer.position)
  const ring = { projectId: scope.projectId, algorithm, signingKeyId, signedAs: token.algorithm }
  const credential = await scope.keyring.sign(ring, writeClaims(claims))
  return { id, credential, expiresAt: formatTime(expiresAt * 1000) }
}

/**
 * What our own verifiers would refuse to read is not signed. Text without an escape, nested no deeper than a list in
 * an object, is what they all read; anything else is tried.
 */
function writeClaims(claims: Readonly<Record<string, unknown>>): string {
  const json = JSON.stringify(claims)
  if ((isFlat(claims) && !json.includes('\\')) || parseStrictJson(json) !== undefined) return json
  throw new CodedError(
    'invalid_request',
    'The claims are nested too deeply, a text among them holds half a surrogate pair, or a name a quote, a backslash or a control character: no verifier would read them.',
  )
}

function isFlat(claims: Readonly<Record<string, unknown>>): boolean {
  return Object.values(claims).every(
    (value) => typeof value !== 'object' || (Array.isArray(value) && value.every(isText)),
  )
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
