import { CodedError, ERROR_CODES, type ErrorCode } from '@claviger/engine'
import type { FastifyReply } from 'fastify'
import type { Logger } from 'pino'
import Type, { type Static } from 'typebox'
import { bearerChallenge } from './bearer-challenge.ts'
import { DATA_HEADERS } from './security-headers.ts'
import { ThrottledError } from './throttling/throttled-error.ts'

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** What every error is answered with (RFC 9457). */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A URN that names the kind of problem; it ends in the code.' }),
    title: Type.String({ description: 'The kind of problem, for people.' }),
    status: Type.Integer({ description: 'The HTTP status.' }),
    detail: Type.String({ description: 'What was wrong this time, and what to do.' }),
    code: Type.Enum(Object.keys(ERROR_CODES) as ErrorCode[], {
      description: 'The kind of problem, for programs. Codes are never renamed.',
    }),
  },
  { description: 'A problem (RFC 9457). It never holds a secret.' },
)
export type Problem = Static<typeof Problem>

export function problemOf(error: CodedError): Problem {
  return {
    type: `urn:claviger:problem:${error.code}`,
    title: ERROR_CODES[error.code].title,
    status: error.status,
    detail: error.message,
    code: error.code,
  }
}

/** Answers with the problem. */
export function sendProblem(reply: FastifyReply, error: CodedError): FastifyReply {
  return reply
    .code(error.status)
    .headers(problemHeaders(error, reply.request.id))
    .send(JSON.stringify(problemOf(error)))
}

export function problemHeaders(error: CodedError, requestId: string): Record<string, string> {
  const challenge = bearerChallenge(error)
  return {
    ...DATA_HEADERS,
    'content-type': `${PROBLEM_MEDIA_TYPE}; charset=utf-8`,
    'claviger-request-id': requestId,
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
    ...retryAfter(error),
  }
}

function retryAfter(error: CodedError): Record<string, string> {
  if (error instanceof ThrottledError) return { 'retry-after': String(error.retryAfterSeconds) }
  return error.retryable ? { 'retry-after': '1' } : {}
}

/** The coded error; what is the fault of Claviger or its machine is written to the log, where alone its cause is shown. */
export function reported(error: unknown, { log, requestId }: { log: Logger; requestId: string }): CodedError {
  const coded = toCodedError(error)
  if (coded.code === 'internal' || coded.cause !== undefined)
    log.error({ requestId, err: coded.cause ?? error }, 'A request failed.')
  return coded
}

/**
 * The coded error that says the same. Fastify's errors about a request are found in a table; whatever else is
 * thrown is Claviger's own fault, and shows nothing of itself.
 */
export function toCodedError(error: unknown): CodedError {
  if (error instanceof CodedError) return error
  const known = FASTIFY_ERRORS.get(errorCodeOf(error) ?? '')
  if (known !== undefined) return new CodedError(...known)
  return new CodedError('internal', 'Claviger failed. Its log says why, under the id in Claviger-Request-Id.')
}

/** Errors that a request can cause before a route sees it (fastify: lib/errors.js; Node: http). */
const FASTIFY_ERRORS: ReadonlyMap<string, readonly [ErrorCode, string]> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', ['payload_too_large', 'The body is larger than the route takes.']],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', ['unsupported_media_type', 'Send the body as application/json.']],
  [
    'FST_ERR_CTP_INVALID_CONTENT_LENGTH',
    ['invalid_request', 'The body is not as long as Content-Length says.'],
  ],
  ['FST_ERR_BAD_URL', ['invalid_request', 'The path is not valid: its percent-encoding is broken.']],
  ['FST_ERR_MAX_PARAM_LENGTH', ['invalid_request', 'A part of the path is too long.']],
  ['ECONNRESET', ['invalid_request', 'The connection ended before the body did.']],
  ['ERR_STREAM_PREMATURE_CLOSE', ['invalid_request', 'The connection ended before the body did.']],
  [
    'HPE_HEADER_OVERFLOW',
    ['headers_too_large', 'The address and the headers together are larger than 16 KiB.'],
  ],
  ['ERR_HTTP_REQUEST_TIMEOUT', ['request_timeout', 'The request did not arrive in time.']],
])

function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
