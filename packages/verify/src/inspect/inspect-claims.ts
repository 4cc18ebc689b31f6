import { type Claims, readClaims } from '../tokens/claims.ts'
import { type KnownClaim, payloadOf } from '../tokens/payload.ts'
import type { Checklist } from './checklist.ts'
import type { CheckName } from './inspection.ts'

/** Claims with which nothing is wrong: each claim is checked among these, so that no other one hides it. */
const GOOD = { iss: 'issuer', sub: 'subject', aud: 'audience', exp: 1, iat: 1 } as const

/** The claims whose form is checked, in the order of the verifier's check. */
export const CHECKED_CLAIMS = [
  'iss',
  'sub',
  'aud',
  'exp',
  'iat',
  'nbf',
  'jti',
  'client_id',
  'sid',
  'scope',
  'roles',
  'permissions',
  'pos',
  'cnf',
] as const satisfies readonly (KnownClaim & CheckName)[]

type CheckedClaim = (typeof CHECKED_CLAIMS)[number]

/** From here on a number of seconds is surely one of milliseconds: the year 5138. */
const SURELY_MILLISECONDS = 100_000_000_000

/** A claim that holds: what the verifier reads, in which only that claim is the token's. Undefined: it does not hold. */
export type ClaimReader = (name: CheckedClaim) => Claims | undefined

/** Checks the form of each claim by itself. An absent claim that may be absent is not listed. */
export function inspectClaims(members: Readonly<Record<string, unknown>>, list: Checklist): ClaimReader {
  const read = (name: CheckedClaim) => readClaims(payloadOf({ ...GOOD, [name]: members[name] }))
  for (const name of CHECKED_CLAIMS) {
    const claims = read(name)
    if ('fault' in claims) list.fails(name, claims.fault, remedyOf(name, members[name]))
    else if (members[name] !== undefined) list.holds(name, 'It is of the right form.')
  }
  return (name) => {
    const claims = read(name)
    return 'fault' in claims ? undefined : claims
  }
}

function remedyOf(name: CheckedClaim, value: unknown): string {
  const anew = 'It cannot be repaired: the signature covers it. Ask the issuer for a token'
  if (value === undefined) return `${anew} with the claim ${name}.`
  if (typeof value === 'number' && value > SURELY_MILLISECONDS) {
    return `${anew} whose ${name} counts seconds since 1970, not milliseconds.`
  }
  return `${anew} whose ${name} is of the right form.`
}
