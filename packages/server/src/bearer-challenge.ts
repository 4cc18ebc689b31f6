import { CodedError } from '@claviger/engine'

/** What a 401 or a 403 says of the credential to programs that know RFC 6750 and nothing of Claviger. */
interface Bearer {
  /** Null: none was presented, so there is nothing to say (section 3.1). */
  readonly error: 'invalid_request' | 'invalid_token' | 'insufficient_scope' | null
  /** The verb that was wanting. */
  readonly scope?: string
}

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
  const parts = ['realm="claviger"']
  if (bearer.error !== null) {
    parts.push(`error="${bearer.error}"`, `error_description="${describe(error.message)}"`)
  }
  if (bearer.scope !== undefined) parts.push(`scope="${bearer.scope}"`)
  return `Bearer ${parts.join(', ')}`
}

/** In the characters that a description may have (RFC 6750, section 3): neither quotes nor backslashes. */
function describe(detail: string): string {
  return detail.replaceAll(/["\\’]/g, "'").replaceAll(/[^\x20-\x7e]/g, '?')
}
