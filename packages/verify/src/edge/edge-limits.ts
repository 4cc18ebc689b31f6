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
  readonly of: 'key' | 'subject'
  readonly id: string
  readonly name: string
  /** As the facts have it. */
  readonly limit: number
  readonly identity: string
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

/**
 * Spends limits from parts that the server has set aside for this verifier (rule Q3). What is left of a part is its to
 * spend until the limit's period ends: by a clock that is never behind the server's (rule L5), so never in the next one.
 */
export class EdgeLimits implements LimitKeeper {
  readonly #transport: EdgeTransport
  readonly #verifierId: string
  readonly #clock: EdgeClock
  readonly #queue: BatchQueue<LimitCall, readonly LimitPart[]>
  readonly #parts = new Map<string, Part>()
  /** By whose limits they are: what is asked for, and what those wait for together. */
  readonly #asking = new Map<string, { wanted: number; cost: number; sent: boolean; done: Promise<void> }>()
  readonly #nowMs: () => number
  #cancelSweep = (): void => undefined

  constructor(parts: {
    readonly transport: EdgeTransport
    readonly verifierId: string
    readonly clock: EdgeClock
    readonly nowMs: () => number
    readonly signal: AbortSignal
  }) {
    this.#transport = parts.transport
    this.#verifierId = parts.verifierId
    this.#clock = parts.clock
    this.#nowMs = parts.nowMs
    this.#queue = new BatchQueue((calls, signal) => this.#lease({ calls }, signal), parts.clock, parts.signal)
  }

  spend({ holders, cost, nowMs }: Spend): Spending | undefined {
    const entries: { limit: Limit; part: Part }[] = []
    let isShort = false
    for (const limit of holders.flatMap(limitsOf)) {
      const part = this.#parts.get(limit.identity)
      if (part === undefined || hasEnded(part, nowMs)) return undefined
      // It was changed since.
      if (part.told.limit !== limit.limit && nowMs - part.toldAtMs > EMPTY_MS) return undefined
      if (cost > part.left) {
        // What others have left may be enough: only a fresh no is one.
        if (cost <= part.left + part.told.remaining || nowMs - part.toldAtMs > EMPTY_MS) return undefined
        isShort = true
      }
      entries.push({ limit, part })
    }
    if (isShort) return refusal(entries, cost, nowMs)
    for (const { part } of entries) {
      part.left -= cost
      if (cost > 0) part.spentAtMs = nowMs
    }
    if (cost > 0 && entries.some(({ part }) => isNearlySpent(part))) {
      this.#ask(holders, 0, cost).catch(() => undefined)
    }
    return { ok: true, figures: entries.map(({ limit, part }) => figureOf(limit, part, nowMs)) }
  }

  prepare({ holders, cost }: Spend): Promise<void> {
    return this.#ask(holders, cost, cost)
  }

  /** From now on what is idle is put back now and then. */
  start(): void {
    this.#cancelSweep = this.#clock.after(SWEEP_MS, () => {
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
    if (known !== undefined && !known.sent) {
      known.wanted += wanted
      known.cost = Math.max(known.cost, cost)
      return known.done
    }
    // What is on its way was asked for by others: it may be enough for these too.
    if (known !== undefined) return known.done
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
    const nowMs = this.#nowMs()
    if (parts.every(({ endsAtMs }) => endsAtMs === null || nowMs - endsAtMs < MAX_AHEAD_MS)) {
      for (const part of parts) this.#take(part)
      return
    }
    void this.#putBack(
      parts
        .filter(({ granted }) => granted > 0)
        .map(({ of, id, name, granted, endsAtMs }) => ({ of, id, name, units: granted, endsAtMs })),
    )
    throw new EdgeError('protocol', 'By the clock of this machine, the period of a limit is over already.')
  }

  #take(told: LimitPart): void {
    const nowMs = this.#nowMs()
    const identity = identityOf(told)
    const before = this.#parts.get(identity)
    // What was set aside of another limit than this one may be more than it allows.
    const isSame =
      before !== undefined && before.told.endsAtMs === told.endsAtMs && before.told.limit === told.limit
    const left = told.granted + (isSame ? before.left : 0)
    this.#parts.set(identity, { told, toldAtMs: nowMs, left, spentAtMs: nowMs })
  }

  #takeIdle(idleMs: number): ReturnedUnits[] {
    const nowMs = this.#nowMs()
    const idle: ReturnedUnits[] = []
    for (const [identity, part] of this.#parts) {
      const isIdle = nowMs - part.spentAtMs >= idleMs
      if (!isIdle && !hasEnded(part, nowMs)) continue
      this.#parts.delete(identity)
      const { of, id, name, endsAtMs } = part.told
      if (part.left > 0 && !hasEnded(part, nowMs)) idle.push({ of, id, name, units: part.left, endsAtMs })
    }
    return idle
  }

  /** Once, and not again when it fails: the server may have taken it all the same, and nothing is put back twice. */
  async #putBack(units: readonly ReturnedUnits[]): Promise<void> {
    for (let first = 0; first < units.length; first += RETURNED_AT_ONCE) {
      const returned = units.slice(first, first + RETURNED_AT_ONCE)
      const limits = { clock: this.#clock, ms: PUT_BACK_TIMEOUT_MS, signal: new AbortController().signal }
      await withTimeout(limits, (signal) => this.#lease({ calls: [], returned }, signal)).catch(
        () => undefined,
      )
    }
  }

  async #lease(
    asked: Omit<LimitLeaseRequest, 'verifier'>,
    signal: AbortSignal,
  ): Promise<readonly (readonly LimitPart[])[]> {
    const { calls } = await this.#transport.leaseLimits(
      { verifier: { id: this.#verifierId }, ...asked },
      signal,
    )
    return calls.map(({ parts }) => parts)
  }
}

function limitsOf({ kind, id, limits }: LimitHolder): Limit[] {
  const named: { readonly name: string; readonly limit: number }[] = [...limits.rates]
  if (limits.quota !== null) named.push({ name: QUOTA_NAME, limit: limits.quota.limit })
  return named.map(({ name, limit }) => {
    return { of: kind, id, name, limit, identity: identityOf({ of: kind, id, name }) }
  })
}

function identityOf({ of, id, name }: Pick<LimitPart, 'of' | 'id' | 'name'>): string {
  return `${of} ${name} ${id}`
}

function hasEnded({ told }: Part, nowMs: number): boolean {
  return told.endsAtMs !== null && nowMs >= told.endsAtMs
}

function isNearlySpent({ told, left }: Part): boolean {
  return told.remaining > 0 && told.granted > 1 && left < told.granted * EARLY
}

function figureOf({ of, name }: Limit, { told, left }: Part, nowMs: number): LimitFigure {
  const resetSeconds = told.endsAtMs === null ? null : Math.max(1, Math.ceil((told.endsAtMs - nowMs) / 1000))
  return { of, name, limit: told.limit, remaining: left + told.remaining, resetSeconds }
}

function refusal(
  entries: readonly { readonly limit: Limit; readonly part: Part }[],
  cost: number,
  nowMs: number,
): Spending {
  const figures = entries.map(({ limit, part }) => figureOf(limit, part, nowMs))
  const exceeded = entries.filter(({ part }) => cost > part.left)
  const waits = exceeded.map(({ limit, part }) =>
    cost > part.told.limit
      ? Number.POSITIVE_INFINITY
      : (figureOf(limit, part, nowMs).resetSeconds ?? Number.POSITIVE_INFINITY),
  )
  const wait = Math.max(...waits)
  return {
    ok: false,
    code: exceeded.some(({ limit }) => limit.name !== QUOTA_NAME) ? 'rate_limited' : 'quota_exceeded',
    figures,
    retryAfterSeconds: Number.isFinite(wait) ? wait : null,
  }
}
