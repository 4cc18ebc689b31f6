/**
 * Permissions (rule R1): `resource:action`, each segment a name or `*` for every name.
 *
 * A permission with `*` is a pattern: it stands for all the concrete permissions that it matches. Names are
 * without end, so no list of narrower patterns ever adds up to a wider one: a pattern is covered by a list
 * only when one entry covers it alone.
 */

const SHAPE = /^(?:\*|[a-z0-9_.-]+):(?:\*|[a-z0-9_.-]+)$/
const ASTERISK = '*'.charCodeAt(0)

export function isPermission(text: string): boolean {
  return SHAPE.test(text)
}

/**
 * Whether every concrete permission of `permission` is one of `pattern`'s too. Both must be permissions.
 * Allocates nothing: it runs on each request.
 */
export function covers(pattern: string, permission: string): boolean {
  const patternColon = pattern.indexOf(':')
  const permissionColon = permission.indexOf(':')
  if (patternColon < 1 || permissionColon < 1) return false
  return (
    coversSpan(pattern, 0, patternColon, permission, 0, permissionColon) &&
    coversSpan(pattern, patternColon + 1, pattern.length, permission, permissionColon + 1, permission.length)
  )
}

/** The permission that stands for exactly what both stand for; undefined when they share nothing. */
export function intersectPatterns(a: string, b: string): string | undefined {
  if (!isPermission(a) || !isPermission(b)) return undefined
  const resource = intersectSegments(resourceOf(a), resourceOf(b))
  const action = intersectSegments(actionOf(a), actionOf(b))
  return resource === undefined || action === undefined ? undefined : `${resource}:${action}`
}

/**
 * All permissions that cover the given one, itself among them: at most four. So that whether a list covers a
 * permission is a matter of comparing whole strings. Empty when the text is no permission: nothing covers it.
 */
export function coveringPatterns(permission: string): readonly string[] {
  if (!isPermission(permission)) return []
  const resource = resourceOf(permission)
  const action = actionOf(permission)
  return [...new Set([permission, `${resource}:*`, `*:${action}`, '*:*'])]
}

export function resourceOf(permission: string): string {
  return permission.slice(0, permission.indexOf(':'))
}

export function actionOf(permission: string): string {
  return permission.slice(permission.indexOf(':') + 1)
}

function intersectSegments(a: string, b: string): string | undefined {
  if (a === '*' || a === b) return b
  return b === '*' ? a : undefined
}

/** Whether a segment of `pattern`, `start` to `end`, covers one of `permission`, `from` to `to`. */
function coversSpan(
  pattern: string,
  start: number,
  end: number,
  permission: string,
  from: number,
  to: number,
): boolean {
  if (end - start === 1 && pattern.charCodeAt(start) === ASTERISK) return true
  if (end - start !== to - from) return false
  for (let index = 0; index < end - start; index++) {
    if (pattern.charCodeAt(start + index) !== permission.charCodeAt(from + index)) return false
  }
  return true
}
