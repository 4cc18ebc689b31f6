import { isPermission } from '../access/permission.ts'
import { OPENID_SCOPES } from '../access/scopes.ts'
import { type Position, parsePosition } from '../changes/position.ts'
import type { Payload } from './payload.ts'
import type { TokenFault } from './token-fault.ts'

/** What an access token says (RFC 9068, section 2.2), with every type checked. */
export interface Claims {
  readonly issuer: string
  readonly subject: string
  /** `aud`, as the list it stands for: one or more. Frozen. */
  readonly audience: readonly string[]
  readonly expiresAtMs: number
  readonly issuedAtMs: number
  readonly notBeforeMs: number | null
  readonly tokenId: string | null
  readonly clientId: string | null
  /** Without those of OpenID Connect (rule R3). Null: absent, nothing narrows. Empty: nothing is permitted. */
  readonly scopes: readonly string[] | null
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  readonly sessionId: string | null
  /**
   * What the token was derived from: ids of tokens and of clients, `kid:` with the id of a signing key, and `iat:` with
   * the second in which the first of the line was issued. Whatever ends one of them ends this token (rule R4).
   */
  readonly parents: readonly string[]
  readonly pos: Position | null
  /** `cnf` (RFC 7800): the token is bound to its sender, and worth nothing without the proof. */
  readonly confirmation: Readonly<Record<string, unknown>> | null
  /** All claims to which Claviger gives no meaning, frozen in depth. */
  readonly custom: Readonly<Record<string, unknown>>
}

/**
 * No token of the project's own issuers lives longer, whatever its `exp`: what revokes one is forgotten a day after that
 * (rule V7). Signing keys that were brought from elsewhere may state a later end.
 */
export const MAX_TOKEN_LIFE_SECONDS = 86_400

/** The first second that RFC 3339 cannot write: the year 10000. */
const END_OF_TIME_SECONDS = 253_402_300_800

/** Tokens of scopes (RFC 6749, section 3.3), one space between them. */
const SCOPE_LIST = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/

const NO_TEXTS: readonly string[] = Object.freeze([])
const NO_CLAIMS: Readonly<Record<string, unknown>> = Object.freeze({})

/**
 * Reads the claims of a token. A claim of the wrong type, an absent `iss`, `sub`, `aud`, `exp` or `iat` and
 * an empty text are faults; nothing is repaired or guessed. Never throws. What it returns shares lists with
 * the payload, which is used up: its custom claims get frozen.
 */
export function readClaims(payload: Payload): Claims | TokenFault {
  const issuer = readText(payload.iss)
  if (typeof issuer !== 'string') return faultOf('iss', 'a text')
  const subject = readText(payload.sub)
  if (typeof subject !== 'string') return faultOf('sub', 'a text')
  const audience = readAudience(payload.aud)
  if (audience === undefined) return faultOf('aud', 'a text or a list of texts, and not empty')
  const expires = readSeconds(payload.exp)
  if (typeof expires !== 'number') return faultOf('exp', 'a number of seconds')
  const issued = readSeconds(payload.iat)
  if (typeof issued !== 'number') return faultOf('iat', 'a number of seconds')
  const notBefore = readSeconds(payload.nbf)
  if (notBefore === undefined) return faultOf('nbf', 'a number of seconds')
  const tokenId = readText(payload.jti)
  if (tokenId === undefined) return faultOf('jti', 'a text')
  const clientId = readText(payload.client_id)
  if (clientId === undefined) return faultOf('client_id', 'a text')
  const sessionId = readText(payload.sid)
  if (sessionId === undefined) return faultOf('sid', 'a text')
  const scopes = readScope(payload.scope)
  if (scopes === undefined) return faultOf('scope', 'a text of scopes with one space between them')
  const roles = readTexts(payload.roles)
  if (roles === undefined) return faultOf('roles', 'a list of texts')
  const permissions = readTexts(payload.permissions)
  if (permissions === undefined || !permissions.every(isPermission)) {
    return faultOf('permissions', 'a list of permissions')
  }
  const parents = readTexts(payload.parents)
  if (parents === undefined) return faultOf('parents', 'a list of texts')
  const pos = readPosition(payload.pos)
  if (pos === undefined) return faultOf('pos', 'a position')
  const confirmation = readObject(payload.cnf)
  if (confirmation === undefined) return faultOf('cnf', 'an object')
  return {
    issuer,
    subject,
    audience,
    // Doubt denies: fractions of a millisecond make a token end earlier, begin later and be older.
    expiresAtMs: Math.floor(expires * 1000),
    issuedAtMs: Math.floor(issued * 1000),
    notBeforeMs: notBefore === null ? null : Math.ceil(notBefore * 1000),
    tokenId,
    clientId,
    scopes,
    roles,
    permissions,
    sessionId,
    parents,
    pos,
    confirmation,
    custom: payload.custom === undefined ? NO_CLAIMS : deepFreeze(payload.custom),
  }
}

function faultOf(name: string, expected: string): TokenFault {
  return { fault: `The claim ${name} of the token must be ${expected}.` }
}

/** As all these readers do: null when the claim is absent, undefined when it is of the wrong type. */
function readText(value: unknown): string | null | undefined {
  if (typeof value === 'string' && value !== '') return value
  return value === undefined ? null : undefined
}

/** A NumericDate (RFC 7519, section 2): seconds since 1970, fractions allowed. */
function readSeconds(value: unknown): number | null | undefined {
  if (typeof value === 'number' && value >= 0 && value < END_OF_TIME_SECONDS) return value
  return value === undefined ? null : undefined
}

function readAudience(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return value === '' ? undefined : listOfOne(value)
  return isTexts(value) && value.length > 0 ? Object.freeze(value) : undefined
}

let lastOne: readonly string[] = NO_TEXTS

/** Most tokens that come here are for one audience: they share the list. */
function listOfOne(text: string): readonly string[] {
  if (lastOne[0] !== text) lastOne = Object.freeze([text])
  return lastOne
}

/** A list of texts; an absent one is empty. */
function readTexts(value: unknown): readonly string[] | undefined {
  if (value === undefined) return NO_TEXTS
  return isTexts(value) ? value : undefined
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '')
}

function readScope(value: unknown): readonly string[] | null | undefined {
  if (value === undefined) return null
  if (value === '') return NO_TEXTS
  if (typeof value !== 'string' || !SCOPE_LIST.test(value)) return undefined
  return value.split(' ').filter((scope) => !OPENID_SCOPES.has(scope))
}

function readPosition(value: unknown): Position | null | undefined {
  if (value === undefined) return null
  return typeof value === 'string' ? parsePosition(value) : undefined
}

function readObject(value: unknown): Readonly<Record<string, unknown>> | null | undefined {
  if (value === undefined) return null
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  deepFreeze(value)
  return value as Readonly<Record<string, unknown>>
}

/** One principal answers many calls: what one caller did to it would be another's rights. */
function deepFreeze<Value extends object>(value: Value): Value {
  for (const name in value) {
    const member = value[name]
    if (typeof member === 'object' && member !== null) deepFreeze(member)
  }
  return Object.freeze(value)
}
