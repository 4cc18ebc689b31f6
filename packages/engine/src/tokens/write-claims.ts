import { parseStrictJson } from '@claviger/verify'
import { CodedError } from '../coded-error.ts'

/**
 * The claims as JSON. What our own verifiers would refuse to read is not signed: throws `invalid_request`. Text without
 * an escape, nested no deeper than a list in an object, is what they all read; anything else is tried.
 */
export function writeClaims(claims: Readonly<Record<string, unknown>>): string {
  const json = JSON.stringify(claims)
  if ((isFlat(claims) && !json.includes('\\')) || parseStrictJson(json) !== undefined) return json
  throw new CodedError(
    'invalid_request',
    'The claims are nested too deeply, a text among them holds half a surrogate pair, or a name a quote, a backslash or a control character: no verifier would read them.',
  )
}

function isFlat(claims: Readonly<Record<string, unknown>>): boolean {
  return Object.values(claims).every(
    (value) => typeof value !== 'object' || (Array.isArray(value) && value.every(isText)),
  )
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
