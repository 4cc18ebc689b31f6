import { CodedError } from '@claviger/engine'
import { type BearerChallenge, formatBearerChallenge } from '@claviger/verify'

/** What the guard knows of the credential, and the verb that was wanting as the scope. */
type Bearer = Pick<BearerChallenge, 'error' | 'scope'>

/** An error of the guard, which knows more of the credential than a code can say. */
export class BearerError extends CodedError {
  readonly bearer: Bearer

  constructor(code: 'unauthenticated' | 'forbidden', detail: string, bearer: Bearer) {
    super(code, detail)
    this.bearer = bearer
  }
}

/**
 * The `WWW-Authenticate` of an error (RFC 6750, section 3); undefined where none belongs. A request that presents two
 * credentials is `invalid_request`, and 401 all the same: authentication comes before anything else (rule M5).
 */
export function bearerChallenge(error: CodedError): string | undefined {
  if (error.status !== 401 && error.status !== 403) return undefined
  const implied = { error: error.status === 401 ? 'invalid_token' : 'insufficient_scope' } as const
  const bearer: Bearer = error instanceof BearerError ? error.bearer : implied
  return formatBearerChallenge({ realm: 'claviger', ...bearer, description: error.message })
}
