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
 * An entry of any list that is no permission gives nothing, so that a damaged list can only narrow. What is
 * no permission neither covers one nor is made into one, so that it is enough to look at the result.
 */
export function effectivePermissions(rights: RightsInput): readonly string[] {
  let held = new Grants([...rights.roles.flat(), ...rights.direct])
  if (rights.scopes !== null) held = intersect(held, new Grants(rights.scopes))
  if (rights.bound !== null) held = intersect(held, new Grants(rights.bound))
  return held.widest().filter(isPermission).sort()
}

/** Whether each of the permissions is covered by one of the grants (rule M3). */
export function coversAll(grants: readonly string[], permissions: readonly string[]): boolean {
  const granted = new Grants(grants)
  return permissions.every((permission) => isPermission(permission) && granted.cover(permission))
}

/** A set of patterns. */
class Grants {
  readonly patterns: ReadonlySet<string>

  constructor(patterns: Iterable<string>) {
    this.patterns = new Set(patterns)
  }

  cover(permission: string): boolean {
    return coveringPatterns(permission).some((pattern) => this.patterns.has(pattern))
  }

  /** The patterns that no other covers. */
  widest(): string[] {
    return [...this.patterns].filter(
      (one) => !coveringPatterns(one).some((pattern) => pattern !== one && this.patterns.has(pattern)),
    )
  }
}

/**
 * What two sets of patterns have in common. Of two patterns, either one covers the other, or one is
 * `resource:*` and the other `*:action`, or they share nothing: so no pair needs to be tried but the crossing
 * ones.
 */
function intersect(a: Grants, b: Grants): Grants {
  return new Grants([
    ...[...a.patterns].filter((permission) => b.cover(permission)),
    ...[...b.patterns].filter((permission) => a.cover(permission)),
    ...crossings(a.patterns, b.patterns),
    ...crossings(b.patterns, a.patterns),
  ])
}

/** `billing:*` and `*:read` meet in `billing:read`. */
function crossings(resources: Iterable<string>, actions: Iterable<string>): string[] {
  const columns = [...actions].filter((permission) => resourceOf(permission) === '*').map(actionOf)
  return [...resources]
    .filter((permission) => actionOf(permission) === '*')
    .flatMap((row) => columns.map((action) => `${resourceOf(row)}:${action}`))
}
