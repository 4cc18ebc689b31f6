import { formatPosition, type Parent, type Position, type Refusal, SIGNING_KEY_MARK } from '@claviger/verify'
import { type AudienceDefaults, audienceDefaults } from '../audiences/audience-defaults.ts'
import { CodedError } from '../coded-error.ts'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import { newId } from '../random.ts'
import type { Scope } from '../scope.ts'
import type { Keyring } from '../signing/keyring.ts'
import { signToken } from '../signing/sign-token.ts'
import { formatTime } from '../time.ts'
import { checkClaims } from './custom-claims.ts'
import { deriveBasis } from './derive-basis.ts'
import { grantBasis } from './grant-basis.ts'
import { type MintedToken, MintTokenInput } from './mint-input.ts'
import { findIssuer, readMintHead } from './mint-queries.ts'
import { requireReadable } from './readable-claims.ts'
import { sizeWarnings } from './size-warnings.ts'
import type { TokenBasis } from './token-basis.ts'

const DEFAULT_TTL_SECONDS = 600

export interface MintScope extends Scope {
  readonly keyring: Keyring
  /** Resolves once this process's own verifier of the project has applied the position (rule V2). */
  readonly waitForApplied: (position: Position) => Promise<void>
  /** Asks that verifier whether a credential may pass now, and what can be derived from it. */
  readonly verifyParent: (credential: string) => Promise<Parent | Refusal>
}

/**
 * Mints an access token (RFC 9068), signed on the thread pool. It writes no row. Handing out rights needs grants that
 * cover them, roles by what they confer now (rule M3); with a `parent` the rights are the parent's (rule R4). What the
 * call leaves open is filled in from the defaults of its audiences.
 *
 * Its `pos` is the head as it was before anything was read that lets the caller mint, so whatever takes that away comes
 * after it and kills the token (rule V2). SQLite reads the head in microseconds: concurrent mints need not share one.
 */
export async function mintToken(scope: MintScope, input: unknown): Promise<MintedToken> {
  requireCustomerProject(scope)
  const { position, algorithm } = await readMintHead(scope)
  const nowMs = scope.clock.nowMs()
  const rights = await authorizeRead(scope, 'tokens:mint')
  const fields = parseInput(MintTokenInput, input)
  const own = checkClaims(fields.claims)
  const request = { fields, rights, position }
  const basis =
    fields.parent === undefined
      ? await grantBasis(scope, request)
      : await deriveBasis(scope, { ...request, parent: fields.parent })
  const defaults = await audienceDefaults(
    { reader: scope.reader, projectId: scope.projectId, position },
    basis.audiences,
  )

  const { issuer, signingKeyId } = await findIssuer(
    scope,
    fields.algorithm ?? defaults.algorithm ?? algorithm,
  )
  const id = newId('tok', nowMs, scope.random)
  const issuedAt = Math.floor(nowMs / 1000)
  const ttlSeconds = fields.ttlSeconds ?? defaults.ttlSeconds ?? DEFAULT_TTL_SECONDS
  const expiresAt = Math.min(issuedAt + ttlSeconds, basis.notAfterSeconds)
  const parents = parentsOf(basis, signingKeyId)
  const claims = {
    ...customClaims(defaults, own, basis),
    iss: issuer,
    sub: basis.subject,
    aud: basis.audiences.length === 1 ? basis.audiences[0] : basis.audiences,
    exp: expiresAt,
    iat: issuedAt,
    jti: id,
    client_id: basis.clientId,
    // Absent: nothing narrows. Empty: nothing is permitted (rule R2).
    ...(basis.scopes === null ? {} : { scope: basis.scopes.join(' ') }),
    ...(basis.roles.length === 0 ? {} : { roles: basis.roles }),
    ...(basis.permissions.length === 0 ? {} : { permissions: basis.permissions }),
    ...(basis.sessionId === null ? {} : { sid: basis.sessionId }),
    ...(basis.pos === null ? {} : { pos: formatPosition(basis.pos) }),
    ...(parents.length === 0 ? {} : { parents }),
  }
  const signingKey = await scope.keyring.open(scope.projectId, signingKeyId)
  await scope.waitForApplied(position)
  const credential = await signToken(signingKey, requireReadable(JSON.stringify(claims)))
  const warnings = sizeWarnings(credential.length)
  return {
    id,
    credential,
    expiresAt: formatTime(expiresAt * 1000),
    ...(warnings === undefined ? {} : { warnings }),
  }
}

/**
 * Those of the call go before the defaults, those of a parent before both: a service that trusts a claim must not be
 * told another one by whoever holds the token.
 */
function customClaims(
  defaults: AudienceDefaults,
  own: Readonly<Record<string, unknown>>,
  { claims }: TokenBasis,
): Readonly<Record<string, unknown>> {
  const changed = Object.keys(own).find(
    (name) => Object.hasOwn(claims, name) && JSON.stringify(claims[name]) !== JSON.stringify(own[name]),
  )
  if (changed === undefined) return { ...defaults.claims, ...own, ...claims }
  throw new CodedError(
    'exceeds_parent',
    `The parent has the claim \`${changed}\`, which a derived token inherits as it is. Leave it out of \`claims\`.`,
  )
}

/** A signing key that is retired in an emergency takes along what it signed, and so what was derived from that. */
function parentsOf({ parents, parentSigningKeyId }: TokenBasis, signingKeyId: string): readonly string[] {
  if (parentSigningKeyId === null || parentSigningKeyId === signingKeyId) return parents
  return [...new Set([...parents, `${SIGNING_KEY_MARK}${parentSigningKeyId}`])]
}
