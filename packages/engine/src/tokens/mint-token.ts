import {
  formatPosition,
  type Parent,
  type Position,
  type Refusal,
  signingAlgorithmOf,
} from '@claviger/verify'
import type { AudienceDefaults } from '../audiences/audience-defaults.ts'
import { CodedError } from '../coded-error.ts'
import { parseInput } from '../input.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import { newId } from '../random.ts'
import type { Scope } from '../scope.ts'
import type { Keyring } from '../signing/keyring.ts'
import { formatTime } from '../time.ts'
import { checkClaims } from './custom-claims.ts'
import { deriveBasis } from './derive-basis.ts'
import { grantBasis } from './grant-basis.ts'
import type { MintFacts } from './mint-facts.ts'
import { type MintedToken, MintTokenInput } from './mint-input.ts'
import { sizeWarnings } from './size-warnings.ts'
import type { TokenBasis } from './token-basis.ts'
import { writeClaims } from './write-claims.ts'

const DEFAULT_TTL_SECONDS = 600

export interface MintScope extends Scope {
  readonly keyring: Keyring
  readonly mintFacts: MintFacts
  /** Resolves once this process's own verifier of the project has applied the position (rule V2), and so knows the key. */
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
  const facts = await scope.mintFacts.current(scope)
  const nowMs = scope.clock.nowMs()
  const rights = await facts.rights(scope)
  const fields = parseInput(MintTokenInput, input)
  const own = checkClaims(fields.claims)
  const request = { fields, rights, facts }
  const basis =
    fields.parent === undefined
      ? await grantBasis(scope, request)
      : await deriveBasis(scope, { ...request, parent: fields.parent })
  const defaults = await facts.defaults(basis.audiences)

  const signedAs = fields.algorithm ?? defaults.algorithm ?? facts.algorithm
  const algorithm = signingAlgorithmOf(signedAs)
  const issuer = await facts.issuer(algorithm)
  const signingKeyId =
    issuer.signingKeyId ?? (await scope.keyring.begin({ projectId: scope.projectId, algorithm }))
  const id = newId('tok', nowMs, scope.random)
  const issuedAt = Math.floor(nowMs / 1000)
  const ttlSeconds = fields.ttlSeconds ?? defaults.ttlSeconds ?? DEFAULT_TTL_SECONDS
  const expiresAt = Math.min(issuedAt + ttlSeconds, basis.notAfterSeconds)
  const claims = {
    ...customClaims(defaults, own, basis),
    iss: issuer.url,
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
    ...(basis.parents.length === 0 ? {} : { parents: basis.parents }),
  }
  await scope.waitForApplied(issuer.position)
  const ring = { projectId: scope.projectId, algorithm, signingKeyId, signedAs }
  const credential = await scope.keyring.sign(ring, writeClaims(claims))
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
