import { actionOf, coveringPatterns, isPermission, resourceOf } from './permission.ts'

export interface RightsInput {
  /** The live permissions of each role that counts (rule R5). */
  readonly roles: readonly (readonly string[])[]
  /** Permissions granted to the credential directly. */
  readonly direct: readonly string[]
  /** Null: not narrowed. An empty list permits nothing (rule R2). */
  readonly scopes: readonly string[] | null
  /** What the subject's record allows at most; null: no record, or one that bounds nothing (rule R6). */
  readonly bound: readonly string[] | null
}

/**
 * What a credential may do (rules R2, R6): all that its roles and direct permissions give, narrowed by its
 * scopes and by its subject's bound, pattern by pattern. Sorted, none covered by another.
 *
 * An entry of any list that is no permission gives nothing, so that a damaged list can only narrow.
 */
export function effectivePermissions(rights: RightsInput): readonly string[] {
  let held = new Set([...rights.roles.flat(), ...rights.direct].filter(isPermission))
  if (rights.scopes !== null) held = intersect(held, new Set(rights.scopes.filter(isPermission)))
  if (rights.bound !== null) held = intersect(held, new Set(rights.bound.filter(isPermission)))
  return [...held].filter((permission) => !isCoveredByAnother(held, permission)).sort()
}

/** Whether each of the permissions is covered by one of the grants (rule M3). */
export function coversAll(grants: readonly string[], permissions: readonly string[]): boolean {
  const granted = new Set(grants)
  return permissions.every((permission) => isCovered(granted, permission))
}

/**
 * What two sets of patterns have in common. Of two patterns, either one covers the other, or one is
 * `resource:*` and the other `*:action`, or they share nothing: so no pair needs to be tried but the crossing
 * ones.
 */
function intersect(a: ReadonlySet<string>, b: ReadonlySet<string>): Set<string> {
  return new Set([
    ...[...a].filter((permission) => isCovered(b, permission)),
    ...[...b].filter((permission) => isCovered(a, permission)),
    ...crossings(a, b),
    ...crossings(b, a),
  ])
}

/** `billing:*` and `*:read` meet in `billing:read`. */
function crossings(resources: Iterable<string>, actions: Iterable<string>): string[] {
  const columns = [...actions].filter((permission) => resourceOf(permission) === '*').map(actionOf)
  return [...resources]
    .filter((permission) => actionOf(permission) === '*')
    .flatMap((row) => columns.map((action) => `${resourceOf(row)}:${action}`))
}

function isCovered(set: ReadonlySet<string>, permission: string): boolean {
  return coveringPatterns(permission).some((pattern) => set.has(pattern))
}

function isCoveredByAnother(set: ReadonlySet<string>, permission: string): boolean {
  return coveringPatterns(permission).some((pattern) => pattern !== permission && set.has(pattern))
}
