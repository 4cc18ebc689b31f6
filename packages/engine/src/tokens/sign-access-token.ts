import { formatPosition, type HeaderAlgorithm, signingAlgorithmOf } from '@claviger/verify'
import { newId } from '../random.ts'
import { formatTime } from '../time.ts'
import type { MintedToken } from './mint-input.ts'
import type { MintScope } from './mint-token.ts'
import type { TokenBasis } from './token-basis.ts'
import { writeClaims } from './write-claims.ts'

/** What an access token says. Whoever asks for one has checked that it may be said. */
export interface AccessToken extends TokenBasis {
  /** By the name that its header carries. */
  readonly algorithm: HeaderAlgorithm
  readonly issuedAtMs: number
  readonly ttlSeconds: number
}

/**
 * Writes an access token (RFC 9068) and signs it on the thread pool, once this process's own verifier knows the key.
 * Throws `invalid_request` for one that no verifier would read.
 */
export async function signAccessToken(scope: MintScope, token: AccessToken): Promise<MintedToken> {
  const { audiences, scopes, roles, permissions, sessionId, pos, parents } = token
  const algorithm = signingAlgorithmOf(token.algorithm)
  const facts = await scope.mintFacts.current(scope)
  const issuer = await facts.issuer(algorithm)
  const signingKeyId =
    issuer.signingKeyId ?? (await scope.keyring.begin({ projectId: scope.projectId, algorithm }))
  const id = newId('tok', token.issuedAtMs, scope.random)
  const issuedAt = Math.floor(token.issuedAtMs / 1000)
  const expiresAt = Math.min(issuedAt + token.ttlSeconds, token.notAfterSeconds)
  const claims = {
    ...token.claims,
    iss: issuer.url,
    sub: token.subject,
    aud: audiences.length === 1 ? audiences[0] : audiences,
    exp: expiresAt,
    iat: issuedAt,
    jti: id,
    client_id: token.clientId,
    // Absent: nothing narrows. Empty: nothing is permitted (rule R2).
    ...(scopes === null ? {} : { scope: scopes.join(' ') }),
    ...(roles.length === 0 ? {} : { roles }),
    ...(permissions.length === 0 ? {} : { permissions }),
    ...(sessionId === null ? {} : { sid: sessionId }),
    ...(pos === null ? {} : { pos: formatPosition(pos) }),
    ...(parents.length === 0 ? {} : { parents }),
  }
  await scope.waitForApplied(issuer.position)
  const ring = { projectId: scope.projectId, algorithm, signingKeyId, signedAs: token.algorithm }
  const credential = await scope.keyring.sign(ring, writeClaims(claims))
  return { id, credential, expiresAt: formatTime(expiresAt * 1000) }
}
