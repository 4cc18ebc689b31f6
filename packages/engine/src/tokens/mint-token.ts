import type { Position } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { parseInput } from '../input.ts'
import { requireGrants } from '../management/authorize.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import { checkScopes, distinct, PermissionList, RoleNameList, ScopeList } from '../roles/rights-input.ts'
import type { Scope } from '../scope.ts'
import type { Keyring } from '../signing/keyring.ts'
import { SubjectId } from '../subjects/subject-input.ts'
import { Time } from '../time.ts'
import { CustomClaims, checkClaims } from './custom-claims.ts'
import type { MintFacts } from './mint-facts.ts'
import { clientIdOf, signAccessToken } from './sign-access-token.ts'
import { Algorithm, Audience, DEFAULT_TTL_SECONDS, distinctAudience, TtlSeconds } from './token-input.ts'

export const MintTokenInput = Type.Object(
  {
    subject: SubjectId,
    audience: Audience,
    ttlSeconds: Type.Optional(TtlSeconds),
    scopes: Type.Optional(ScopeList),
    roles: Type.Optional(RoleNameList),
    permissions: Type.Optional(PermissionList),
    claims: Type.Optional(CustomClaims),
    algorithm: Type.Optional(Algorithm),
  },
  { additionalProperties: false },
)
export type MintTokenInput = Static<typeof MintTokenInput>

export const MintedToken = Type.Object({
  id: Type.String({ description: 'Its `jti`.' }),
  credential: Type.String(),
  expiresAt: Time,
})
export type MintedToken = Static<typeof MintedToken>

export interface MintScope extends Scope {
  readonly keyring: Keyring
  readonly mintFacts: MintFacts
  /** Resolves once this process's own verifier of the project has applied the position (rule V2), and so knows the key. */
  readonly waitForApplied: (position: Position) => Promise<void>
}

/**
 * Mints an access token (RFC 9068), signed on the thread pool. It writes no row. Handing out rights needs grants that
 * cover them, roles by what they confer now (rule M3).
 *
 * Its `pos` is the head as it was before anything was read that lets the caller mint, so whatever takes that away comes
 * after it and kills the token (rule V2). SQLite reads the head in microseconds: concurrent mints need not share one.
 */
export async function mintToken(scope: MintScope, input: unknown): Promise<MintedToken> {
  requireCustomerProject(scope)
  const facts = await scope.mintFacts.current(scope)
  const nowMs = scope.clock.nowMs()
  const rights = await facts.rights(scope)
  const fields = parseInput(MintTokenInput, input)
  const given = {
    roles: distinct(fields.roles ?? []),
    permissions: distinct(fields.permissions ?? []),
    scopes: checkScopes(fields.scopes ?? null),
  }
  requireGrants(rights, await facts.held(given), 'the token')

  return signAccessToken(scope, {
    subject: fields.subject,
    audience: distinctAudience(fields.audience),
    given,
    claims: checkClaims(fields.claims),
    clientId: clientIdOf(scope.actor),
    sessionId: null,
    position: facts.position,
    algorithm: fields.algorithm ?? facts.algorithm,
    issuedAtMs: nowMs,
    ttlSeconds: fields.ttlSeconds ?? DEFAULT_TTL_SECONDS,
    notAfterMs: null,
  })
}
