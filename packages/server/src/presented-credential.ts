import { CodedError } from '@claviger/engine'
import { headerValues, readPresentedCredential as readCredential } from '@claviger/verify'
import { BearerError } from './bearer-challenge.ts'

const PLACES = { headers: ['x-api-key'] } as const

/**
 * The credential of a request's headers, as they came over the wire. `Authorization: Bearer` and `X-Api-Key` may both
 * stand there if they agree. Throws `unauthenticated` when there is none, when a header stands twice, or when two differ.
 */
export function readPresentedCredential(rawHeaders: readonly string[]): string {
  const presented = readCredential(rawHeaders, PLACES)
  if ('credential' in presented) return presented.credential
  switch (presented.fault) {
    case 'scheme':
      throw notPresented('The Authorization header must read `Bearer`, a space and the management key.')
    case 'absent':
      throw notPresented('Send a management key as `Authorization: Bearer <key>` or `X-Api-Key: <key>`.')
    case 'repeated':
      throw ambiguous(`The header ${presented.name} stands more than once. Send it once.`)
    case 'conflicting':
      throw ambiguous('The Authorization and X-Api-Key headers hold different credentials. Send one.')
  }
}

/** The project that the caller names; undefined when it names none. */
export function readProjectHeader(rawHeaders: readonly string[]): string | undefined {
  return single(rawHeaders, 'claviger-project')
}

/** What names the request, so that it is not carried out twice; undefined when it has none (rule C7). */
export function readIdempotencyKey(rawHeaders: readonly string[]): string | undefined {
  return single(rawHeaders, 'idempotency-key')
}

/** The value of a header that may stand once; undefined when it is absent. */
function single(rawHeaders: readonly string[], name: string): string | undefined {
  const [value, ...more] = headerValues(rawHeaders, name)
  if (more.length > 0)
    throw new CodedError('invalid_request', `The header ${name} stands more than once. Send it once.`)
  return value
}

function notPresented(detail: string): CodedError {
  return new BearerError('unauthenticated', detail, { error: null })
}

function ambiguous(detail: string): CodedError {
  return new BearerError('unauthenticated', detail, { error: 'invalid_request' })
}
