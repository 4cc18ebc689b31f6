import { type LimitHolder, type LimitKeeper, QUOTA_NAME, type Spend, type Spending } from '@claviger/verify'
import type { Writer } from '../commands/writer.ts'
import { type CountedLimit, type Counter, figureOf } from './counter.ts'
import { DurableCounter } from './durable-counter.ts'
import { MAX_MEMORY_WINDOW_SECONDS, MemoryCounter } from './memory-counter.ts'
import { type Period, periodName } from './period.ts'

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
