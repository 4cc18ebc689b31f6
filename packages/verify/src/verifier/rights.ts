import { coversAll, effectivePermissions } from '../access/effective-permissions.ts'
import type { SubjectRecord } from '../changes/change.ts'
import type { ProjectFacts } from './project-facts.ts'

export interface GrantedRights {
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  /** Null: not narrowed. */
  readonly scopes: readonly string[] | null
}

export interface LiveRights {
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
}

/** What was granted, as it counts now: by the live role table and within the subject's record (rules R2, R5, R6). */
export function liveRights(
  granted: GrantedRights,
  record: SubjectRecord | undefined,
  facts: ProjectFacts,
): LiveRights {
  const bound = boundOf(record, facts)
  const roles = granted.roles.filter((name) => {
    const permissions = facts.rolePermissions(name)
    if (permissions === undefined) return false
    return bound === null || record?.roles?.includes(name) === true || coversAll(bound, permissions)
  })
  return {
    roles,
    permissions: effectivePermissions({
      roles: granted.roles.map((name) => facts.rolePermissions(name) ?? []),
      direct: granted.permissions,
      scopes: granted.scopes,
      bound,
    }),
  }
}

/** The most that the subject's credentials may do; null when its record bounds nothing. */
function boundOf(record: SubjectRecord | undefined, facts: ProjectFacts): readonly string[] | null {
  if (record === undefined || (record.roles === undefined && record.permissions === undefined)) return null
  const fromRoles = (record.roles ?? []).flatMap((name) => facts.rolePermissions(name) ?? [])
  return [...fromRoles, ...(record.permissions ?? [])]
}
