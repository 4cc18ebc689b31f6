import { effectivePermissions, KEY_PATTERN } from '@claviger/verify'
import type { Kysely } from 'kysely'
import { CodedError } from '../coded-error.ts'
import type { Schema } from '../storage/schema.ts'

/** Where rights are looked up. */
export interface RightsPlace {
  readonly db: Kysely<Schema>
  readonly projectId: string
}

/** Roles, direct permissions and scopes, as a credential is given them. */
export interface GivenRights {
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  /** Null: not narrowed. */
  readonly scopes: readonly string[] | null
}

/** The live permissions of those roles that exist (rule R5). */
export async function loadRolePermissions(
  { db, projectId }: RightsPlace,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (names.length === 0) return new Map()
  const rows = await db
    .selectFrom('roles')
    .select(['name', 'permissions'])
    .where('project_id', '=', projectId)
    .where('name', 'in', names)
    .where('deleted_at_ms', 'is', null)
    .execute()
  return new Map(rows.map((row) => [row.name, JSON.parse(row.permissions)]))
}

/** The live permissions of roles that must all exist: refuses names that no live role has (rule R5). */
export async function requireRoles(
  place: RightsPlace,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const known = await loadRolePermissions(place, names)
  const unknown = names.filter((name) => !known.has(name))
  if (unknown.length === 0) return known
  throw new CodedError(
    'invalid_request',
    `\`roles\` names ${unknown.map(quote).join(', ')}, which the project does not have. Create a role first.`,
  )
}

/** The text of a key fits the grammar of a role's name: one that was pasted by mistake is not repeated. */
function quote(name: string): string {
  return JSON.stringify(name.replaceAll(KEY_PATTERN, '[redacted]'))
}

/**
 * What a credential holds now by what it was given (rule R2): what the caller's grants must cover before it may
 * hand this out (rule M3). The subject's record is left out: it may be widened later.
 */
export async function heldPermissions(place: RightsPlace, given: GivenRights): Promise<readonly string[]> {
  const roles = await loadRolePermissions(place, given.roles)
  return effectivePermissions({
    roles: [...roles.values()],
    direct: given.permissions,
    scopes: given.scopes,
    bound: null,
  })
}
