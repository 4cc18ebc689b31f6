/**
 * Every error that a caller can meet, in one table: the HTTP status that says the same, a title for people,
 * and whether the same call may succeed later without being changed.
 */
export const ERROR_CODES = {
  invalid_request: { status: 400, title: 'The request is not valid', retryable: false },
  parent_refused: { status: 400, title: 'The parent credential may not pass', retryable: false },
  unauthenticated: { status: 401, title: 'A management key is needed', retryable: false },
  forbidden: { status: 403, title: 'The management key lacks the verb', retryable: false },
  exceeds_grants: {
    status: 403,
    title: 'The management key may not hand out these rights',
    retryable: false,
  },
  exceeds_parent: { status: 403, title: 'The parent does not hold these rights', retryable: false },
  not_found: { status: 404, title: 'No such thing', retryable: false },
  method_not_allowed: { status: 405, title: 'The route does not take this method', retryable: false },
  request_timeout: { status: 408, title: 'The request came too slowly', retryable: true },
  already_exists: { status: 409, title: 'It exists already', retryable: false },
  in_use: { status: 409, title: 'It is in use', retryable: false },
  name_retired: { status: 409, title: 'The name was used before and is never used again', retryable: false },
  revoked: { status: 409, title: 'It was revoked', retryable: false },
  suspended: { status: 409, title: 'The subject or its client is disabled', retryable: false },
  session_ended: { status: 409, title: 'The session has ended', retryable: false },
  refresh_token_reused: {
    status: 409,
    title: 'The refresh token was used before, and its session was ended',
    retryable: false,
  },
  answer_lost: {
    status: 409,
    title: 'It was done before, and its answer can be read no more',
    retryable: false,
  },
  cap_reached: { status: 409, title: 'There are as many as may be', retryable: false },
  payload_too_large: { status: 413, title: 'The body is too large', retryable: false },
  unsupported_media_type: { status: 415, title: 'The body must be JSON', retryable: false },
  idempotency_key_reused: {
    status: 422,
    title: 'The idempotency key came with another request',
    retryable: false,
  },
  too_many_requests: { status: 429, title: 'Too many requests', retryable: true },
  headers_too_large: { status: 431, title: 'The headers are too large', retryable: false },
  internal: { status: 500, title: 'Claviger failed', retryable: false },
  unavailable: { status: 503, title: 'No honest answer is possible now', retryable: true },
  busy: { status: 503, title: 'Something else changed it at the same time', retryable: true },
  storage_full: { status: 507, title: 'The disk is full', retryable: true },
} as const

export type ErrorCode = keyof typeof ERROR_CODES

/** An error that a caller can act on. Its detail says what was wrong and what to do, and holds no secret. */
export class CodedError extends Error {
  override readonly name = 'CodedError'
  readonly code: ErrorCode
  readonly status: number
  readonly retryable: boolean

  /** `options.cause` is for the log of the node alone. */
  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    super(detail, options)
    this.code = code
    this.status = ERROR_CODES[code].status
    this.retryable = ERROR_CODES[code].retryable
  }
}
