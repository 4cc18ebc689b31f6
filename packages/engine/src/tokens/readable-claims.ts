import { parseStrictJson } from '@claviger/verify'
import { CodedError } from '../coded-error.ts'

/** What our own verifiers would refuse to read is not signed: answers the JSON, or throws `invalid_request`. */
export function requireReadable(json: string): string {
  if (parseStrictJson(json) !== undefined) return json
  throw new CodedError(
    'invalid_request',
    'The claims are nested too deeply, a text among them holds half a surrogate pair, or a name a quote, a backslash or a control character: no verifier would read them.',
  )
}
