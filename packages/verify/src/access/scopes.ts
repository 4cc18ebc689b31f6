import { isPermission } from './permission.ts'

/** The scopes of OpenID Connect (Core 1.0, sections 5.4 and 11): they carry no permission (rule R3). */
export const OPENID_SCOPES: ReadonlySet<string> = new Set([
  'openid',
  'profile',
  'email',
  'address',
  'phone',
  'offline_access',
])

/** A list of scopes, sorted out. Each list keeps the order given, without repetitions. */
export interface Scopes {
  /** What narrows. Empty: nothing is permitted, also when OpenID Connect's scopes were all there was. */
  readonly permissions: readonly string[]
  readonly openid: readonly string[]
  /** Neither a permission nor OpenID Connect's: refused at creation, confers nothing at verification. */
  readonly invalid: readonly string[]
}

/** Sorts a list of scopes out (rule R3). */
export function readScopes(scopes: readonly string[]): Scopes {
  const distinct = [...new Set(scopes)]
  return {
    permissions: distinct.filter(isPermission),
    openid: distinct.filter((scope) => OPENID_SCOPES.has(scope)),
    invalid: distinct.filter((scope) => !isPermission(scope) && !OPENID_SCOPES.has(scope)),
  }
}
