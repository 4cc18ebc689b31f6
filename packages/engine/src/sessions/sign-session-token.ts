import { parsePosition } from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import type { GivenRights } from '../roles/role-permissions.ts'
import type { MintedToken } from '../tokens/mint-input.ts'
import { signAccessToken } from '../tokens/sign-access-token.ts'
import { algorithmOf, audiencesOf, liveSessionRights, type SessionRow } from './session.ts'
import type { SessionScope } from './session-tokens.ts'

/** What of a session its access tokens say. */
export type SigningSession = Pick<
  SessionRow,
  | 'id'
  | 'subject'
  | 'client_id'
  | 'audience'
  | 'roles'
  | 'permissions'
  | 'scopes'
  | 'claims'
  | 'algorithm'
  | 'access_ttl_seconds'
  | 'pos'
>

/** An access token, and the rights that it was signed with. */
export interface SignedSessionToken extends MintedToken {
  readonly given: GivenRights
}

/**
 * Signs an access token of a session, with the session's own `pos` (rule V2) and no longer life than it has (rule R4).
 *
 * It is signed before the command runs that lets it be handed out: whatever keeps it from being signed then leaves the
 * session as it was, and its refresh token unused. The command asks whether the rights are still those that were signed.
 */
export async function signSessionToken(
  scope: SessionScope,
  session: SigningSession,
  expiresAtMs: number,
): Promise<SignedSessionToken> {
  const position = parsePosition(session.pos)
  if (position === undefined) throw new CodedError('internal', `The session ${session.id} has no position.`)
  const facts = await scope.mintFacts.current(scope)
  const audiences = audiencesOf(session)
  const defaults = await facts.defaults(audiences)
  const given = await liveSessionRights({ db: scope.reader, projectId: scope.projectId }, session)
  const token = await signAccessToken(scope, {
    ...given,
    subject: session.subject,
    audiences,
    claims: { ...defaults.claims, ...JSON.parse(session.claims) },
    clientId: session.client_id,
    sessionId: session.id,
    parents: [],
    pos: position,
    algorithm: algorithmOf(session) ?? defaults.algorithm ?? facts.algorithm,
    issuedAtMs: scope.clock.nowMs(),
    ttlSeconds: session.access_ttl_seconds,
    notAfterSeconds: Math.floor(expiresAtMs / 1000),
  })
  return { ...token, given }
}

/**
 * Refuses to hand out a token that was signed with other rights than the session has in this transaction, of which the
 * caller's grants are asked: the subject's record was changed in between (rules M3, R6).
 */
export function requireSameRights(signed: GivenRights, live: GivenRights): void {
  if (JSON.stringify(inOrder(signed)) === JSON.stringify(inOrder(live))) return
  throw new CodedError('busy', "The subject's record was changed meanwhile. Nothing was done: try again.")
}

function inOrder({ roles, permissions, scopes }: GivenRights): readonly (readonly string[] | null)[] {
  return [roles, permissions, scopes]
}
