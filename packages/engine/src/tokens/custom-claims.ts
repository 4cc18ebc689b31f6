import { RESERVED_CLAIMS } from '@claviger/verify'
import Type from 'typebox'
import { CodedError } from '../coded-error.ts'

/** Claims to which Claviger gives no meaning. How large they may be is the token's to say. */
export const CustomClaims = Type.Record(Type.String(), Type.Unknown(), {
  description: 'Claims of your own, handed back with each verdict; none that has a meaning already.',
})

/** Refuses claims that would speak in the place of others: those that are ours, and those that are registered. */
export function checkClaims(
  claims: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const reserved = Object.keys(claims).filter((name) => RESERVED_CLAIMS.has(name))
  if (reserved.length === 0) return claims
  throw new CodedError(
    'invalid_request',
    `\`claims\` names ${reserved.map((name) => `\`${name}\``).join(', ')}, which mean something already. Choose other names, such as ${suggest(reserved[0] ?? '')}.`,
  )
}

/** A name that nobody registers: one below a domain of the caller's own (RFC 7519, section 4.2). */
function suggest(name: string): string {
  return `\`https://example.com/${name}\` with a domain of yours`
}
