import { CodedError } from '@claviger/engine'
import { BearerError } from './bearer-challenge.ts'

const BEARER = /^Bearer +([^ ]+) *$/i

/**
 * The credential of a request's headers, as they came over the wire: Node's own record of them keeps the first
 * of two `Authorization` headers and drops the other, so that a proxy and this server could read different ones.
 *
 * `Authorization: Bearer` and `X-Api-Key` may both stand there if they agree. Throws `unauthenticated` when there
 * is none, when a header stands twice, or when two differ.
 */
export function readPresentedCredential(rawHeaders: readonly string[]): string {
  const authorization = single(rawHeaders, 'authorization', ambiguous)
  const apiKey = single(rawHeaders, 'x-api-key', ambiguous)
  const bearer = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1]
  if (authorization !== undefined && bearer === undefined) {
    throw notPresented('The Authorization header must read `Bearer`, a space and the management key.')
  }
  const credential = bearer ?? apiKey
  if (credential === undefined || credential === '') {
    throw notPresented('Send a management key as `Authorization: Bearer <key>` or `X-Api-Key: <key>`.')
  }
  if (apiKey !== undefined && apiKey !== credential) {
    throw ambiguous('The Authorization and X-Api-Key headers hold different credentials. Send one.')
  }
  return credential
}

/** The project that the caller names; undefined when it names none. */
export function readProjectHeader(rawHeaders: readonly string[]): string | undefined {
  return single(rawHeaders, 'claviger-project', (detail) => new CodedError('invalid_request', detail))
}

/** What names the request, so that it is not carried out twice; undefined when it has none (rule C7). */
export function readIdempotencyKey(rawHeaders: readonly string[]): string | undefined {
  return single(rawHeaders, 'idempotency-key', (detail) => new CodedError('invalid_request', detail))
}

/** The value of a header that may stand once; undefined when it is absent. */
function single(
  rawHeaders: readonly string[],
  name: string,
  refused: (detail: string) => CodedError,
): string | undefined {
  let value: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const candidate = rawHeaders[index]
    // Most names are of another length, which costs no copy to find out.
    if (candidate?.length !== name.length || candidate.toLowerCase() !== name) continue
    if (value !== undefined) throw refused(`The header ${name} stands more than once. Send it once.`)
    value = rawHeaders[index + 1]
  }
  return value
}

function notPresented(detail: string): CodedError {
  return new BearerError('unauthenticated', detail, { error: null })
}

function ambiguous(detail: string): CodedError {
  return new BearerError('unauthenticated', detail, { error: 'invalid_request' })
}
