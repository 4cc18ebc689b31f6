import { readScopes } from '@claviger/verify'
import Type from 'typebox'
import { CodedError } from '../coded-error.ts'

const MAX_PERMISSION_LENGTH = 128
const MAX_PERMISSIONS = 1000
const MAX_ROLES = 100

export const RoleName = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$',
  description: 'The name of a role of the project.',
})

export const RoleNameList = Type.Array(RoleName, {
  maxItems: MAX_ROLES,
  description: 'Names of roles that exist; their permissions count as they are when verifying.',
})

export const PermissionList = Type.Array(
  Type.String({ pattern: '^(\\*|[a-z0-9_.-]+):(\\*|[a-z0-9_.-]+)$', maxLength: MAX_PERMISSION_LENGTH }),
  {
    maxItems: MAX_PERMISSIONS,
    description:
      'Permissions `resource:action`; `*` stands for a whole segment. An empty list permits nothing.',
  },
)

export const ScopeList = Type.Array(Type.String({ minLength: 1, maxLength: MAX_PERMISSION_LENGTH }), {
  maxItems: MAX_PERMISSIONS,
  description: 'Narrows roles and permissions to these. An empty list permits nothing.',
})

/** Refuses a scope that is neither a permission nor one of OpenID Connect's (rule R3). Null: not narrowed. */
export function checkScopes(scopes: readonly string[] | null): readonly string[] | null {
  if (scopes === null) return null
  const { invalid } = readScopes(scopes)
  const index = scopes.findIndex((scope) => invalid.includes(scope))
  if (index === -1) return distinct(scopes)
  throw new CodedError(
    'invalid_request',
    `\`scopes.${index}\` is no permission. Write scopes as resource:action.`,
  )
}

/** The list without its repetitions, in its order. */
export function distinct(list: readonly string[]): readonly string[] {
  return list.length < 2 ? list : [...new Set(list)]
}
