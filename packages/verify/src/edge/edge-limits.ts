import type { LimitFigure, LimitHolder, LimitKeeper, Spend, Spending } from '../limits/limit-keeper.ts'
import { QUOTA_NAME } from '../limits/limits.ts'
import type { LimitCall, LimitLeaseRequest, LimitPart, ReturnedUnits } from '../wire/limit-lease.ts'
import { BatchQueue } from './batch-queue.ts'
import type { EdgeClock } from './edge-clock.ts'
import { EdgeError, type EdgeTransport } from './edge-transport.ts'
import { withTimeout } from './with-timeout.ts'

/** A part of a limit that is this verifier's to spend, as it was last told. */
interface Part {
  readonly told: LimitPart
  readonly toldAtMs: number
  left: number
  spentAtMs: number
}

/** One limit of a call. */
interface Limit {
  readonly identity: string
  /** As the facts have it. */
  readonly limit: number
}

/** For so long nobody is asked anew about a limit of which nothing was left. */
const EMPTY_MS = 1_000
/** What nobody has spent from for so long is put back, for others to spend. */
const IDLE_MS = 30_000
const SWEEP_MS = 10_000
const RETURNED_AT_ONCE = 1_000
const PUT_BACK_TIMEOUT_MS = 1_000
/** A part may come when its period has just ended: the next one is asked for then. */
const MAX_AHEAD_MS = 1_000
/** The next part is on its way before this one is used up. */
const EARLY = 0.25

export interface EdgeLimitsOptions {
  readonly transport: EdgeTransport
  readonly verifierId: string
  readonly clock: EdgeClock
  readonly nowMs: () => number
  readonly signal: AbortSignal
}

/**
 * Spends limits from parts that the server has set aside for this verifier (rule Q3). What is left of a part is its to
 * spend until the limit's period ends: by a clock that is never behind the server's (rule L5), so never in the next one.
 */
export class EdgeLimits implements LimitKeeper {
  readonly #options: EdgeLimitsOptions
  readonly #queue: BatchQueue<LimitCall, readonly LimitPart[]>
  readonly #parts = new Map<string, Part>()
  /** By whose limits they are: what is asked for, and what those wait for together. */
  readonly #asking = new Map<string, { wanted: number; cost: number; sent: boolean; done: Promise<void> }>()
  #cancelSweep = (): void => undefined

  constructor(options: EdgeLimitsOptions) {
    this.#options = options
    this.#queue = new BatchQueue(
      (calls, signal) => this.#lease({ calls }, signal),
      options.clock,
      options.signal,
    )
  }

  spend({ holders, cost, nowMs }: Spend): Spending | undefined {
    const parts: Part[] = []
    let isShort = false
    for (const { identity, limit } of holders.flatMap(limitsOf)) {
      const part = this.#parts.get(identity)
      if (part === undefined || hasEnded(part, nowMs)) return undefined
      const isOld = nowMs - part.toldAtMs > EMPTY_MS
      // It was changed since.
      if (part.told.limit !== limit && isOld) return undefined
      if (cost > part.left) {
        // What others have left may be enough: only a fresh no is one.
        if (isOld || cost <= part.left + part.told.remaining) return undefined
        isShort = true
      }
      parts.push(part)
    }
    if (isShort) return refusal(parts, cost, nowMs)
    for (const part of parts) {
      part.left -= cost
      if (cost > 0) part.spentAtMs = nowMs
    }
    if (cost > 0 && parts.some(isNearlySpent)) {
      this.#ask(holders, 0, cost).catch(() => undefined)
    }
    return { ok: true, figures: parts.map((part) => figureOf(part, nowMs)) }
  }

  prepare({ holders, cost }: Spend): Promise<void> {
    return this.#ask(holders, cost, cost)
  }

  /** From now on what is idle is put back now and then. */
  start(): void {
    this.#cancelSweep = this.#options.clock.after(SWEEP_MS, () => {
      void this.#putBack(this.#takeIdle(IDLE_MS))
      this.start()
    })
  }

  stop(): void {
    this.#cancelSweep()
  }

  /** Puts everything back. Nothing may be spent afterwards. Never rejects. */
  close(): Promise<void> {
    return this.#putBack(this.#takeIdle(0))
  }

  /** Asks once for all who want the same limits in the meantime. */
  #ask(holders: readonly LimitHolder[], cost: number, wanted: number): Promise<void> {
    const name = JSON.stringify(holders.map(({ kind, id }) => [kind, id]))
    const known = this.#asking.get(name)
    if (known !== undefined) {
      // What is on its way was asked for by others: it may be enough for these too.
      if (!known.sent) {
        known.wanted += wanted
        known.cost = Math.max(known.cost, cost)
      }
      return known.done
    }
    const asking = { wanted, cost, sent: false, done: Promise.resolve() }
    asking.done = Promise.resolve()
      .then(() => {
        asking.sent = true
        const named = holders.map(({ kind, id }) => ({ kind, id }))
        return this.#queue.ask({ holders: named, cost: asking.cost, wanted: asking.wanted })
      })
      .then((parts) => this.#takeAll(parts))
      .finally(() => this.#asking.delete(name))
    this.#asking.set(name, asking)
    return asking.done
  }

  /** Throws when the time here is so far ahead that nobody could spend them: then they go back, for others to spend. */
  #takeAll(parts: readonly LimitPart[]): void {
    const nowMs = this.#options.nowMs()
    if (parts.some(({ endsAtMs }) => nowMs > (endsAtMs ?? nowMs) + MAX_AHEAD_MS)) {
      void this.#putBack(parts.map((part) => unitsOf(part, part.granted)))
      throw new EdgeError('protocol', 'The clock is ahead.')
    }
    for (const part of parts) this.#take(part, nowMs)
  }

  #take(told: LimitPart, nowMs: number): void {
    const identity = identityOf(told)
    const before = this.#parts.get(identity)
    // What was set aside of another limit than this one may be more than it allows.
    const isSame =
      before !== undefined && before.told.endsAtMs === told.endsAtMs && before.told.limit === told.limit
    const left = told.granted + (isSame ? before.left : 0)
    this.#parts.set(identity, { told, toldAtMs: nowMs, left, spentAtMs: nowMs })
  }

  #takeIdle(idleMs: number): ReturnedUnits[] {
    const nowMs = this.#options.nowMs()
    const idle: ReturnedUnits[] = []
    for (const [identity, part] of this.#parts) {
      const isIdle = nowMs - part.spentAtMs >= idleMs
      if (!isIdle && !hasEnded(part, nowMs)) continue
      this.#parts.delete(identity)
      if (part.left > 0 && !hasEnded(part, nowMs)) idle.push(unitsOf(part.told, part.left))
    }
    return idle
  }

  /** Once, and not again when it fails: the server may have taken it all the same, and nothing is put back twice. */
  async #putBack(units: readonly ReturnedUnits[]): Promise<void> {
    for (let first = 0; first < units.length; first += RETURNED_AT_ONCE) {
      const returned = units.slice(first, first + RETURNED_AT_ONCE)
      const limits = { clock: this.#options.clock, ms: PUT_BACK_TIMEOUT_MS }
      await withTimeout(limits, (signal) => this.#lease({ calls: [], returned }, signal)).catch(
        () => undefined,
      )
    }
  }

  async #lease(
    asked: Omit<LimitLeaseRequest, 'verifier'>,
    signal: AbortSignal,
  ): Promise<readonly (readonly LimitPart[])[]> {
    const { calls } = await this.#options.transport.leaseLimits(
      { verifier: { id: this.#options.verifierId }, ...asked },
      signal,
    )
    return calls.map(({ parts }) => parts)
  }
}

function limitsOf({ kind, id, limits }: LimitHolder): Limit[] {
  const named: { readonly name: string; readonly limit: number }[] = [...limits.rates]
  if (limits.quota !== null) named.push({ name: QUOTA_NAME, limit: limits.quota.limit })
  return named.map(({ name, limit }) => ({ identity: identityOf({ of: kind, id, name }), limit }))
}

function identityOf({ of, id, name }: Pick<LimitPart, 'of' | 'id' | 'name'>): string {
  return `${of} ${name} ${id}`
}

function unitsOf({ of, id, name, endsAtMs }: LimitPart, units: number): ReturnedUnits {
  return { of, id, name, units, endsAtMs }
}

function hasEnded({ told }: Part, nowMs: number): boolean {
  return told.endsAtMs !== null && nowMs >= told.endsAtMs
}

function isNearlySpent({ told, left }: Part): boolean {
  return told.remaining > 0 && told.granted > 1 && left < told.granted * EARLY
}

function figureOf({ told, left }: Part, nowMs: number): LimitFigure {
  const { of, name, limit, remaining, endsAtMs } = told
  const resetSeconds = endsAtMs === null ? null : Math.max(1, Math.ceil((endsAtMs - nowMs) / 1000))
  return { of, name, limit, remaining: left + remaining, resetSeconds }
}

function refusal(parts: readonly Part[], cost: number, nowMs: number): Spending {
  const figures = parts.map((part) => figureOf(part, nowMs))
  const exceeded = figures.filter((_, index) => cost > (parts[index]?.left ?? 0))
  const waits = exceeded.map(({ limit, resetSeconds }) =>
    cost > limit ? Number.POSITIVE_INFINITY : (resetSeconds ?? Number.POSITIVE_INFINITY),
  )
  const wait = Math.max(...waits)
  return {
    ok: false,
    code: exceeded.some(({ name }) => name !== QUOTA_NAME) ? 'rate_limited' : 'quota_exceeded',
    figures,
    retryAfterSeconds: Number.isFinite(wait) ? wait : null,
  }
}
