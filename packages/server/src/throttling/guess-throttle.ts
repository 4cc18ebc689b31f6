import { addressGroups } from './address-group.ts'
import { type Drain, GuessTable } from './guess-table.ts'

export interface GuessLimits {
  /** How many failures in a row are answered as they are. */
  readonly burst: number
  /** How long until one more is. */
  readonly refillMs: number
  /** How many addresses and /48 networks are remembered. */
  readonly maxAddresses: number
}

export const GUESS_LIMITS: GuessLimits = { burst: 30, refillMs: 2_000, maxAddresses: 10_000 }

/** A /48 of IPv6 may fail as often as so many addresses: it can be an office, or all of one attacker's networks. */
const SITE_FACTOR = 8

/**
 * Slows callers who guess: it counts failures, by address, and is asked after a credential was refused. A valid
 * credential never meets it, so nobody can be locked out by what others at the same address do.
 */
export class GuessThrottle {
  readonly #own: Drain
  readonly #site: Drain
  readonly #maxAddresses: number
  readonly #nowMs: () => number
  readonly #realms = new Map<string, GuessTable>()
  #size = 0

  /** `nowMs` must not go back; the wall clock can. */
  constructor({ burst, refillMs, maxAddresses }: GuessLimits, nowMs: () => number = () => performance.now()) {
    this.#own = { burst, refillMs }
    this.#site = { burst: burst * SITE_FACTOR, refillMs: refillMs / SITE_FACTOR }
    this.#maxAddresses = maxAddresses
    this.#nowMs = nowMs
  }

  /** How many addresses and networks are remembered now. */
  get size(): number {
    return this.#size
  }

  /**
   * Counts a failure from this address, of that realm (a project's customers do not share a count with another's). Answers
   * how many seconds the caller is to wait; 0: it may go on.
   */
  countFailure(ip: string, realm = ''): number {
    const { own, site } = addressGroups(ip)
    const waitSeconds = this.#count(realm, own, this.#own)
    // One network that is slowed anyhow does not slow its neighbours.
    return waitSeconds > 0 || site === undefined ? waitSeconds : this.#count(realm, site, this.#site)
  }

  #count(realm: string, group: string, drain: Drain): number {
    const nowMs = this.#nowMs()
    const table = this.#realms.get(realm) ?? new GuessTable()
    this.#realms.set(realm, table)
    const before = table.size
    const waitSeconds = table.countFailure(group, drain, nowMs)
    this.#size += table.size - before
    if (this.#size > this.#maxAddresses) this.#forgetOne(nowMs)
    return waitSeconds
  }

  /** In the realm that remembers most, so that a flood of one project's clients makes no other realm forget. */
  #forgetOne(nowMs: number): void {
    let [name, largest]: [string, GuessTable] | [undefined, undefined] = [undefined, undefined]
    for (const [realm, table] of this.#realms) {
      if (largest === undefined || table.size > largest.size) [name, largest] = [realm, table]
    }
    if (name === undefined || largest === undefined) return
    largest.forgetOne(this.#maxAddresses, nowMs)
    this.#size--
    if (largest.size === 0) this.#realms.delete(name)
  }
}
