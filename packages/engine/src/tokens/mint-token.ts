import type { Parent, Position, Refusal } from '@claviger/verify'
import type { AudienceDefaults } from '../audiences/audience-defaults.ts'
import { CodedError } from '../coded-error.ts'
import { parseInput } from '../input.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import type { Scope } from '../scope.ts'
import type { Keyring } from '../signing/keyring.ts'
import { checkClaims } from './custom-claims.ts'
import { deriveBasis } from './derive-basis.ts'
import { grantBasis } from './grant-basis.ts'
import type { MintFacts } from './mint-facts.ts'
import { type MintedToken, MintTokenInput } from './mint-input.ts'
import { signAccessToken } from './sign-access-token.ts'
import { sizeWarnings } from './size-warnings.ts'
import type { TokenBasis } from './token-basis.ts'
import { DEFAULT_TTL_SECONDS } from './token-input.ts'

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
 * after it and kills the token (rule V2).
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

  const token = await signAccessToken(scope, {
    ...basis,
    claims: customClaims(defaults, own, basis),
    algorithm: fields.algorithm ?? defaults.algorithm ?? facts.algorithm,
    issuedAtMs: nowMs,
    ttlSeconds: fields.ttlSeconds ?? defaults.ttlSeconds ?? DEFAULT_TTL_SECONDS,
  })
  scope.issued.note(scope, 'mint', basis.subject)
  const warnings = sizeWarnings(token.credential.length)
  return warnings === undefined ? token : { ...token, warnings }
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
