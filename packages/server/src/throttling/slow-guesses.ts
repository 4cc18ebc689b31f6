import type { CodedError } from '@claviger/engine'
import { BearerError } from '../bearer-challenge.ts'
import type { GuessThrottle } from './guess-throttle.ts'
import { ThrottledError } from './throttled-error.ts'

/**
 * What a refused request is answered: the error itself, or `too_many_requests` where the address has presented too many
 * credentials that were refused. A request that presented none has guessed nothing.
 */
export function slowGuesses(throttle: GuessThrottle, error: CodedError, ip: string): CodedError {
  if (error.code !== 'unauthenticated') return error
  if (error instanceof BearerError && error.bearer.error === null) return error
  const waitSeconds = throttle.countFailure(ip)
  if (waitSeconds === 0) return error
  return new ThrottledError(
    'Too many management keys from this address were refused. Wait as long as Retry-After says; a valid key is answered at once.',
    waitSeconds,
  )
}
