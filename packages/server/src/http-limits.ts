import { GUESS_LIMITS, type GuessLimits } from './throttling/guess-throttle.ts'

/** What one client can cost before it is known who it is. */
export interface HttpLimits {
  readonly maxBodyBytes: number
  /** The request line and all headers together. */
  readonly maxHeaderBytes: number
  /** One part of the path, percent-encoded; what it names is shorter still, and checked by the engine. */
  readonly maxParamLength: number
  readonly headersTimeoutMs: number
  /** From the first byte to the last of the body. */
  readonly requestTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  /** How often Node looks for requests and headers beyond their time. */
  readonly timeoutCheckIntervalMs: number
  /** How long requests in flight may take to end once the server closes. */
  readonly closeGraceMs: number
  /** Requests of one management key that may be under way at once. */
  readonly maxInFlightPerCaller: number
  /** For management keys that are refused, and for customers' credentials that are. */
  readonly guesses: GuessLimits
}

export const HTTP_LIMITS: HttpLimits = {
  maxBodyBytes: 65_536,
  maxHeaderBytes: 16_384,
  maxParamLength: 4_096,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 72_000,
  timeoutCheckIntervalMs: 5_000,
  closeGraceMs: 10_000,
  maxInFlightPerCaller: 2_048,
  guesses: GUESS_LIMITS,
}
