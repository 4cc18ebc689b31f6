import { CodedError } from '../coded-error.ts'
import { type Rights, requireGrants } from '../management/authorize.ts'
import { checkScopes, distinct } from '../roles/rights-input.ts'
import type { Scope } from '../scope.ts'
import { clientIdOf } from './client-id.ts'
import type { FactsAt } from './mint-facts.ts'
import type { MintTokenInput } from './mint-input.ts'
import type { TokenBasis } from './token-basis.ts'
import { listOf } from './token-input.ts'

/** One call to mint: what it asks for, for whom, and what was read at the head that came before (rule V2). */
export interface MintRequest {
  readonly fields: MintTokenInput
  readonly rights: Rights
  readonly facts: FactsAt
}

/** What a token says that speaks for a subject of the caller's choosing, within the caller's grants (rule M3). */
export async function grantBasis(scope: Scope, { fields, rights, facts }: MintRequest): Promise<TokenBasis> {
  if (fields.subject === undefined) {
    throw new CodedError(
      'invalid_request',
      'Name the `subject` that the token speaks for, or give the `parent` that it is derived from.',
    )
  }
  if (fields.audience === undefined) {
    throw new CodedError('invalid_request', 'Name the `audience`: which services the token is meant for.')
  }
  const given = {
    roles: distinct(fields.roles ?? []),
    permissions: distinct(fields.permissions ?? []),
    scopes: checkScopes(fields.scopes ?? null),
  }
  requireGrants(rights, await facts.held(given), 'the token')
  return {
    ...given,
    subject: fields.subject,
    audiences: listOf(fields.audience),
    clientId: clientIdOf(scope.actor),
    sessionId: null,
    parents: [],
    pos: facts.position,
    notAfterSeconds: Number.POSITIVE_INFINITY,
    claims: {},
  }
}
