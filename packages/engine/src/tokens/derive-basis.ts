import {
  coversAll,
  effectivePermissions,
  ISSUED_AT_MARK,
  isPermission,
  type Parent,
  type Refusal,
  SIGNING_KEY_MARK,
} from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import { requireGrants } from '../management/authorize.ts'
import { checkScopes } from '../roles/rights-input.ts'
import { loadRolePermissions } from '../roles/role-permissions.ts'
import type { MintRequest } from './grant-basis.ts'
import type { MintScope } from './mint-token.ts'
import type { TokenBasis } from './token-basis.ts'
import { listOf } from './token-input.ts'

/** Each generation adds two ids to the claim `parents`. */
const MAX_PARENT_IDS = 16

/**
 * What a token says that is derived from a credential which the caller holds (rule R4). Whoever holds that can use it,
 * so its rights need no grants; an audience that the parent is not for is another matter, and does (rule M3).
 *
 * The verifier is asked about the parent only once it has applied the head that was read at the start: else a key that
 * was revoked at that head would pass, and the fresh `pos` of its token lie beyond the rule (rule V2).
 */
export async function deriveBasis(
  scope: MintScope,
  { fields, rights, facts, parent: text }: MintRequest & { readonly parent: string },
): Promise<TokenBasis> {
  refuseOwnChoice(fields)
  await scope.waitForApplied(facts.position)
  const parent = await scope.verifyParent(text)
  if ('ok' in parent) throw refusedParent(parent)
  const { principal, grant } = parent

  const scopes = narrow(principal.permissions, fields)
  const audiences = audiencesOf(parent, fields.audience)
  const accepted = principal.audience
  if (accepted !== undefined && !audiences.every((audience) => accepted.includes(audience))) {
    requireGrants(rights, scopes, 'the token, for an audience that its parent is not for,')
  }
  if (parent.hasUntoldLimits) {
    await scope.writer.run('tell-limits', { projectId: scope.projectId, id: principal.id }, scope.actor)
  }
  return {
    subject: principal.subject,
    audiences,
    roles: await rolesThatCount(scope, grant.roles, scopes),
    permissions: effectivePermissions({ roles: [], direct: grant.permissions, scopes, bound: null }),
    scopes,
    clientId: principal.clientId ?? principal.id,
    sessionId: principal.sessionId ?? null,
    parents: lineOf(scope, parent),
    // A key is named as the client, and what takes the key's rights away comes after the head (rule V5).
    pos: principal.kind === 'key' ? facts.position : parent.pos,
    notAfterSeconds: Math.floor((parent.expiresAtMs ?? Number.POSITIVE_INFINITY) / 1000),
    claims: principal.claims ?? {},
  }
}

function refuseOwnChoice({ subject, roles }: MintRequest['fields']): void {
  if (subject !== undefined) {
    throw new CodedError(
      'invalid_request',
      "A derived token speaks for its parent's subject: leave `subject` out.",
    )
  }
  if (roles === undefined) return
  throw new CodedError(
    'invalid_request',
    "A derived token has its parent's roles: narrow it with `permissions` or `scopes`, and leave `roles` out.",
  )
}

function refusedParent({ code, detail }: Refusal): CodedError {
  if (code === 'unavailable') return new CodedError('unavailable', detail)
  const reason =
    code === 'ip_denied'
      ? 'A key that is bound to addresses cannot be derived from: the token would not be bound to them.'
      : code === 'proof_required'
        ? 'A token that is bound to its sender cannot be derived from: the new one would not be bound.'
        : detail
  return new CodedError('parent_refused', `The parent was refused (${code}). ${reason}`)
}

/**
 * The list that narrows the token, always an explicit one: what the parent holds now, so that the token does not grow
 * with a role, within the `scopes` asked for. All `permissions` asked for must be held.
 */
function narrow(held: readonly string[], { scopes, permissions }: MintRequest['fields']): readonly string[] {
  if (permissions !== undefined && !coversAll(held, permissions)) {
    const exceeding = permissions.find((permission) => !coversAll(held, [permission]))
    throw new CodedError('exceeds_parent', `The parent does not hold \`${exceeding}\`. Ask for less.`)
  }
  return effectivePermissions({
    roles: [],
    direct: held,
    scopes: checkScopes(scopes ?? null)?.filter(isPermission) ?? null,
    bound: permissions ?? null,
  })
}

function audiencesOf({ principal }: Parent, asked: MintRequest['fields']['audience']): readonly string[] {
  if (asked !== undefined) return listOf(asked)
  if (principal.audience !== undefined) return principal.audience
  throw new CodedError(
    'invalid_request',
    'Name the `audience`: an API key is for none of its own, so the token cannot inherit it.',
  )
}

/** Those of the parent's roles that give the token something; their permissions count live (rule R5). */
async function rolesThatCount(
  { reader, projectId }: MintScope,
  names: readonly string[],
  scopes: readonly string[],
): Promise<readonly string[]> {
  const roles = await loadRolePermissions({ db: reader, projectId }, names)
  return names.filter((name) => {
    const permissions = roles.get(name) ?? []
    return effectivePermissions({ roles: [permissions], direct: [], scopes, bound: null }).length > 0
  })
}

/**
 * What ends the token with it: the age of the first of the line, the parents so far, the key that signed the last one, which may turn out to have signed
 * for others, and the management key that derives it (rule V5).
 */
function lineOf({ actor }: MintScope, { ids, issuedAtMs, signingKeyId }: Parent): readonly string[] {
  const line = [
    ...new Set([
      `${ISSUED_AT_MARK}${Math.floor(issuedAtMs / 1000)}`,
      ...ids,
      ...(signingKeyId === null ? [] : [`${SIGNING_KEY_MARK}${signingKeyId}`]),
      ...(actor.kind === 'management-key' ? [actor.keyId] : []),
    ]),
  ]
  if (line.length <= MAX_PARENT_IDS) return line
  throw new CodedError(
    'invalid_request',
    `The parent was itself derived too many times over. Derive from one of its own parents.`,
  )
}
