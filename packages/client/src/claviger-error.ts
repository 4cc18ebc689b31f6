import type { Problem } from './generated/types.gen.ts'

/** What the client itself can meet, beside the codes of the server's problems. */
export type ClientErrorCode =
  /** Nobody answered, or not in time. */
  | 'unreachable'
  /** What answered is no Claviger server, or something on the way to it failed. */
  | 'unexpected_answer'
  /** The address is plain HTTP and not this machine's own. */
  | 'plain_http_refused'
  /** The management key is no text that can be sent. */
  | 'invalid_key'

/** Every way in which a call can fail. It never holds a credential. */
export class ClavigerError extends Error {
  override readonly name = 'ClavigerError'
  /** What was wrong, and what to do. */
  readonly detail: string
  readonly code: Problem['code'] | ClientErrorCode
  /** The HTTP status; 0: there was no answer. */
  readonly status: number
  /** Names the request in the server's log. */
  readonly requestId: string | undefined

  constructor(
    code: Problem['code'] | ClientErrorCode,
    detail: string,
    answer: { status?: number; requestId?: string | undefined } = {},
  ) {
    super(detail)
    this.code = code
    this.detail = detail
    this.status = answer.status ?? 0
    this.requestId = answer.requestId
  }
}
