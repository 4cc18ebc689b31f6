import { coversAll, effectivePermissions } from '../access/effective-permissions.ts'
import { isSatisfied, type PermissionQuery } from '../access/permission-query.ts'
import type { SubjectRecord } from '../changes/change.ts'
import type { ProjectFacts } from './project-facts.ts'

export interface GrantedRights {
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  /** Null: not narrowed. */
  readonly scopes: readonly string[] | null
}

/** Rights as they count now. Credentials that were granted the same share them, and the answers to queries. */
export class LiveRights {
  /** Frozen, as is {@link permissions}. */
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  #query: PermissionQuery | undefined
  #satisfied = false

  constructor(roles: readonly string[], permissions: readonly string[]) {
    this.roles = Object.freeze(roles)
    this.permissions = Object.freeze(permissions)
  }

  /** Whether the permissions satisfy the query; remembers the last answer. */
  satisfy(query: PermissionQuery): boolean {
    if (this.#query !== query) {
      this.#satisfied = isSatisfied(query, this.permissions)
      this.#query = query
    }
    return this.#satisfied
  }
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
  const permissions = effectivePermissions({
    roles: granted.roles.map((name) => facts.rolePermissions(name) ?? []),
    direct: granted.permissions,
    scopes: granted.scopes,
    bound,
  })
  return new LiveRights(roles, permissions)
}

/** Whether the record lets through whatever was granted. */
export function isUnbounded(record: SubjectRecord | undefined): boolean {
  return record === undefined || (record.roles === undefined && record.permissions === undefined)
}

/** The most that the subject's credentials may do; null when its record bounds nothing. */
function boundOf(record: SubjectRecord | undefined, facts: ProjectFacts): readonly string[] | null {
  if (record === undefined || isUnbounded(record)) return null
  const fromRoles = (record.roles ?? []).flatMap((name) => facts.rolePermissions(name) ?? [])
  return [...fromRoles, ...(record.permissions ?? [])]
}
