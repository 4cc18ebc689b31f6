import { addressGroup } from './address-group.ts'

export interface GuessLimits {
  /** How many failures in a row are answered as they are. */
  readonly burst: number
  /** How long until one more is. */
  readonly refillMs: number
  /** How many addresses are remembered; the one that failed longest ago is forgotten first. */
  readonly maxAddresses: number
}

export const GUESS_LIMITS: GuessLimits = { burst: 30, refillMs: 2_000, maxAddresses: 10_000 }

interface Bucket {
  failures: number
  atMs: number
}

/**
 * Slows callers who guess: it counts failures, by address, and is asked after a credential was refused. A valid
 * credential never meets it, so nobody can be locked out by what others at the same address do.
 */
export class GuessThrottle {
  readonly #limits: GuessLimits
  readonly #nowMs: () => number
  /** In the order of the last failure. */
  readonly #buckets = new Map<string, Bucket>()

  /** `nowMs` must not go back; the wall clock can. */
  constructor(limits: GuessLimits, nowMs: () => number = () => performance.now()) {
    this.#limits = limits
    this.#nowMs = nowMs
  }

  /** How many addresses are remembered now. */
  get size(): number {
    return this.#buckets.size
  }

  /**
   * Counts a failure from this address, of that realm (a project's customers do not share a count with another's). Answers
   * how many seconds the caller is to wait; 0: it may go on.
   */
  countFailure(ip: string, realm = ''): number {
    const { burst, refillMs, maxAddresses } = this.#limits
    const group = `${realm} ${addressGroup(ip)}`
    const nowMs = this.#nowMs()
    const known = this.#buckets.get(group)
    const left = known === undefined ? 0 : Math.max(0, known.failures - (nowMs - known.atMs) / refillMs)
    this.#buckets.delete(group)
    if (this.#buckets.size >= maxAddresses) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    // What goes beyond the burst does not count: who waits as long as told may go on.
    const failures = Math.min(left + 1, burst)
    this.#buckets.set(group, { failures, atMs: nowMs })
    return left + 1 <= burst ? 0 : Math.ceil(((left + 1 - burst) * refillMs) / 1000)
  }
}
