import { CodedError } from '@claviger/engine'

/** `too_many_requests`, with the time after which the caller may come again. */
export class ThrottledError extends CodedError {
  readonly retryAfterSeconds: number

  constructor(detail: string, retryAfterSeconds: number) {
    super('too_many_requests', detail)
    this.retryAfterSeconds = retryAfterSeconds
  }
}
