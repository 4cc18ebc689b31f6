import {
  type LimitHolder,
  type LimitKeeper,
  type LimitPart,
  QUOTA_NAME,
  type Spend,
  type Spending,
} from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import type { Writer } from '../commands/writer.ts'
import { type CountedLimit, type Counter, figureOf } from './counter.ts'
import { DurableCounter } from './durable-counter.ts'
import { MAX_MEMORY_WINDOW_SECONDS, MemoryCounter } from './memory-counter.ts'
import { type Period, periodEndMs, periodName, periodStartMs } from './period.ts'

/** Units of the limits that a call counts on. */
export interface SetAside {
  readonly holders: readonly LimitHolder[]
  /** What one call spends. */
  readonly cost: number
  /** What all that wait spend together. */
  readonly wanted: number
  readonly nowMs: () => number
}

export interface ReturnedPart {
  readonly name: string
  readonly units: number
  /** Null: the period never ends. */
  readonly endsAtMs: number | null
  readonly nowMs: number
}

/** The part of what is left that is set aside for a verifier at once. */
const PART = 0.1
const MAX_ATTEMPTS = 20
/** As many counters are kept before those are looked for that can be forgotten. */
const MIN_SWEEP_SIZE = 10_000

/**
 * All counters of one process: every verifier of it spends from the same ones, so that no limit is granted once a
 * verifier. Checking and taking happen in one turn of the event loop, hence all or nothing (rule Q1).
 */
export class LimitCounters {
  readonly #counters = new Map<string, Counter>()
  readonly #writer: Pick<Writer, 'run'>
  #sweepSize = MIN_SWEEP_SIZE

  constructor(writer: Pick<Writer, 'run'>) {
    this.#writer = writer
  }

  /** How many counters are held. */
  get size(): number {
    return this.#counters.size
  }

  /** The limits of a project's keys and subjects, for its verifiers. */
  keeper(projectId: string): LimitKeeper {
    return {
      spend: (spend) => this.#spend(projectId, spend),
      prepare: (spend) => this.#prepare(projectId, spend),
    }
  }

  /**
   * Sets parts of the limits of a call aside, for a verifier in another process to spend (rule Q3): they count as spent
   * from now on. All limits of the call have something left for it, or nothing is set aside of any. Rejects when it
   * cannot be stored.
   */
  async setAside(projectId: string, { holders, cost, wanted, nowMs }: SetAside): Promise<LimitPart[]> {
    this.#sweep(nowMs())
    const limits = holders.flatMap((holder) => countedLimits(projectId, holder))
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      await this.#prepareParts(limits, { wanted, nowMs })
      const parts = this.#takeParts(limits, { cost, wanted, nowMs: nowMs() })
      if (parts !== undefined) return parts
    }
    throw new CodedError('unavailable', 'Others were quicker to spend the limit, again and again.')
  }

  /** Puts back what was set aside and not spent. */
  putBack(projectId: string, holder: LimitHolder, part: ReturnedPart): void {
    const { name, units, endsAtMs, nowMs } = part
    const limit = countedLimits(projectId, holder).find((one) => one.name === name)
    if (limit !== undefined) this.#counter(limit).putBack(units, endsAtMs ?? Number.POSITIVE_INFINITY, nowMs)
  }

  async #prepareParts(
    limits: readonly CountedLimit[],
    { wanted, nowMs }: Pick<SetAside, 'wanted' | 'nowMs'>,
  ): Promise<void> {
    await Promise.all(
      limits.map(async (limit) => {
        const counter = this.#counter(limit)
        const balance = counter.balance(limit.limit, nowMs()) ?? { remaining: limit.limit, atHand: 0 }
        const units = partSize(limit, balance.remaining, wanted)
        if (balance.atHand < units || counter.balance(limit.limit, nowMs()) === undefined) {
          await counter.bring(limit, units)
        }
      }),
    )
  }

  /** Undefined: what was brought to hand is gone again. */
  #takeParts(
    limits: readonly CountedLimit[],
    { cost, wanted, nowMs }: { readonly cost: number; readonly wanted: number; readonly nowMs: number },
  ): LimitPart[] | undefined {
    const entries: { limit: CountedLimit; counter: Counter; units: number }[] = []
    let isRefused = false
    for (const limit of limits) {
      const counter = this.#counter(limit)
      const balance = counter.balance(limit.limit, nowMs)
      if (balance === undefined) return undefined
      if (cost > balance.remaining) isRefused = true
      else if (cost > balance.atHand) return undefined
      const units = Math.min(balance.atHand, partSize(limit, balance.remaining, wanted))
      entries.push({ limit, counter, units })
    }
    return entries.map(({ limit, counter, units }) => {
      const granted = isRefused ? 0 : units
      counter.take(limit, granted, nowMs)
      const remaining = counter.balance(limit.limit, nowMs)?.remaining ?? 0
      const endsAtMs =
        counter.endsAtMs(nowMs) ?? periodEndMs(limit.period, periodStartMs(limit.period, nowMs))
      return {
        of: limit.holder.kind,
        id: limit.holder.id,
        name: limit.name,
        limit: limit.limit,
        granted,
        remaining,
        endsAtMs: Number.isFinite(endsAtMs) ? endsAtMs : null,
      }
    })
  }

  /** Gives back what was reserved and not spent. The writer must still run, and nothing be verified any more. */
  async close(): Promise<void> {
    const durable = [...this.#counters.values()].filter((counter) => counter instanceof DurableCounter)
    await Promise.all(durable.map((counter) => counter.close()))
    this.#counters.clear()
  }

  #spend(projectId: string, { holders, cost, nowMs }: Spend): Spending | undefined {
    this.#sweep(nowMs)
    const limits = holders.flatMap((holder) => countedLimits(projectId, holder))
    const entries = limits.map((limit) => ({ limit, counter: this.#counter(limit) }))
    let mustWait = false
    const exceeded: CountedLimit[] = []
    for (const { limit, counter } of entries) {
      const balance = counter.balance(limit.limit, nowMs)
      if (balance === undefined) return undefined
      if (cost > balance.remaining) exceeded.push(limit)
      else if (cost > balance.atHand) mustWait = true
    }
    if (exceeded.length === 0) {
      if (mustWait) return undefined
      for (const { limit, counter } of entries) counter.take(limit, cost, nowMs)
    }
    const figures = entries.map(({ limit, counter }) => figureOf(limit, counter, nowMs))
    if (exceeded.length === 0) return { ok: true, figures }
    const waits = entries.map(({ limit }, index) =>
      !exceeded.includes(limit)
        ? 0
        : cost > limit.limit
          ? Number.POSITIVE_INFINITY
          : (figures[index]?.resetSeconds ?? Number.POSITIVE_INFINITY),
    )
    const wait = Math.max(...waits)
    return {
      ok: false,
      code: exceeded.some(({ period }) => period.kind === 'window') ? 'rate_limited' : 'quota_exceeded',
      figures,
      retryAfterSeconds: Number.isFinite(wait) ? wait : null,
    }
  }

  async #prepare(projectId: string, { holders, cost, nowMs }: Spend): Promise<void> {
    const limits = holders.flatMap((holder) => countedLimits(projectId, holder))
    await Promise.all(
      limits.map(async (limit) => {
        const counter = this.#counter(limit)
        const balance = counter.balance(limit.limit, nowMs)
        if (balance === undefined || (cost > balance.atHand && cost <= balance.remaining)) {
          // What never passes must not set aside what others could spend.
          await counter.bring(limit, cost > limit.limit ? 0 : cost)
        }
      }),
    )
  }

  #counter(limit: CountedLimit): Counter {
    const { projectId, holder, name, period } = limit
    const identity = JSON.stringify([projectId, holder.kind, holder.id, name, periodName(period)])
    const known = this.#counters.get(identity)
    if (known !== undefined) return known
    const counter =
      period.kind === 'window' && period.seconds <= MAX_MEMORY_WINDOW_SECONDS
        ? new MemoryCounter(period.seconds)
        : new DurableCounter((args) => this.#writer.run('reserve-units', args, { kind: 'installation' }))
    this.#counters.set(identity, counter)
    return counter
  }

  /** Forgets counters that hold nothing. The size at which it is done again grows with what is in use. */
  #sweep(nowMs: number): void {
    if (this.#counters.size < this.#sweepSize) return
    for (const [identity, counter] of this.#counters) {
      if (counter.isIdle(nowMs)) this.#counters.delete(identity)
    }
    this.#sweepSize = Math.max(MIN_SWEEP_SIZE, 2 * this.#counters.size)
  }
}

/**
 * A tenth of what is left, so that a few verifiers share it and the last units go one by one. Of what is never full again
 * just what is wanted now: what a verifier is left with is lost with it.
 */
function partSize({ period }: CountedLimit, remaining: number, wanted: number): number {
  if (wanted === 0) return 0
  const isForEver = period.kind === 'calendar' && period.refill === null
  return Math.min(remaining, isForEver ? wanted : Math.max(wanted, Math.floor(remaining * PART)))
}

function countedLimits(projectId: string, holder: LimitHolder): CountedLimit[] {
  const { rates, quota } = holder.limits
  const counted = (name: string, limit: number, period: Period): CountedLimit => ({
    projectId,
    holder,
    name,
    limit,
    period,
  })
  const limits = rates.map(({ name, limit, windowSeconds }) =>
    counted(name, limit, { kind: 'window', seconds: windowSeconds }),
  )
  if (quota !== null)
    limits.push(counted(QUOTA_NAME, quota.limit, { kind: 'calendar', refill: quota.refill }))
  return limits
}
