import { KNOWN_CLAIMS } from './payload.ts'

/**
 * Names that custom claims may not have: those with a meaning here, and those on whose word other verifiers
 * let somebody in or act for another (OpenID Connect Core, RFC 8693, RFC 8417, RFC 9396).
 */
export const RESERVED_CLAIMS: ReadonlySet<string> = new Set([
  ...KNOWN_CLAIMS,
  'act',
  'may_act',
  'azp',
  'auth_time',
  'acr',
  'amr',
  'nonce',
  'at_hash',
  'c_hash',
  'events',
  'authorization_details',
  'groups',
  'entitlements',
  '__proto__',
])
