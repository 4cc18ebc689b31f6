import { formatPosition, type Position, parseStrictJson, type SigningAlgorithm } from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import type { Actor } from '../commands/command.ts'
import { newId } from '../random.ts'
import type { GivenRights } from '../roles/role-permissions.ts'
import { signToken } from '../signing/sign-token.ts'
import { formatTime } from '../time.ts'
import { findIssuer } from './mint-queries.ts'
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
  readonly algorithm: SigningAlgorithm
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
  const { issuer, signingKeyId } = await findIssuer(scope, token.algorithm)
  const id = newId('tok', token.issuedAtMs, scope.random)
  const issuedAt = Math.floor(token.issuedAtMs / 1000)
  const lastSecond = notAfterMs === null ? Number.POSITIVE_INFINITY : Math.floor(notAfterMs / 1000)
  const expiresAt = Math.min(issuedAt + token.ttlSeconds, lastSecond)
  const claims = {
    ...token.claims,
    iss: issuer,
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
  const signingKey = await scope.keyring.open(scope.projectId, signingKeyId)
  await scope.waitForApplied(position)
  const credential = await signToken(signingKey, writeClaims(claims))
  return { id, credential, expiresAt: formatTime(expiresAt * 1000) }
}

/** What our own verifiers would refuse to read is not signed. */
function writeClaims(claims: Readonly<Record<string, unknown>>): string {
  const json = JSON.stringify(claims)
  if (parseStrictJson(json) !== undefined) return json
  throw new CodedError(
    'invalid_request',
    'The claims are nested too deeply, a text among them holds half a surrogate pair, or a name a quote, a backslash or a control character: no verifier would read them.',
  )
}
