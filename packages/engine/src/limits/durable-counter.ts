import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Balance, CountedLimit, Counter } from './counter.ts'
import type { Reserved, ReserveUnitsArgs } from './reserve-units.ts'

export type ReserveUnits = (args: ReserveUnitsArgs) => Promise<Reserved>

/** The part of what is left that is reserved ahead (rule Q2). */
const BLOCK_PART = 0.01

/**
 * Spends a limit from blocks that the database has set aside for this process (rule Q2). What is in the block was
 * counted as spent when it was reserved: a crash forfeits it, and nothing is granted twice.
 */
export class DurableCounter implements Counter {
  readonly #reserve: ReserveUnits
  #period: { readonly startMs: number; readonly endMs: number } | undefined
  #reserved = 0
  #block = 0
  /** What callers that wait need. */
  #awaited = 0
  #reserving: Promise<void> | null = null
  #last: CountedLimit | undefined

  constructor(reserve: ReserveUnits) {
    this.#reserve = reserve
  }

  balance(limit: number, nowMs: number): Balance | undefined {
    if (this.#period === undefined) return undefined
    if (nowMs >= this.#period.endMs) return { remaining: limit, atHand: 0 }
    const remaining = Math.max(0, limit - (this.#reserved - this.#block))
    return { remaining, atHand: Math.min(this.#block, remaining) }
  }

  take(limit: CountedLimit, cost: number): void {
    this.#last = limit
    if (cost === 0) return
    this.#block -= cost
    // The next block is on its way before this one is used up, so that seldom anyone waits for the disk.
    if (this.#block > blockSize(limit.limit - this.#reserved) / 2 || this.#reserved >= limit.limit) return
    // If it cannot be stored, whoever finds the block empty is told.
    this.#reserveBlock(limit).catch(() => undefined)
  }

  putBack(units: number, endsAtMs: number, nowMs: number): void {
    if (this.endsAtMs(nowMs) === endsAtMs) this.#block = Math.min(this.#reserved, this.#block + units)
  }

  async bring(limit: CountedLimit, cost: number): Promise<void> {
    this.#last = limit
    this.#awaited += cost
    try {
      await this.#reserveBlock(limit)
    } finally {
      this.#awaited -= cost
    }
  }

  endsAtMs(nowMs: number): number | undefined {
    return this.#period === undefined || nowMs >= this.#period.endMs ? undefined : this.#period.endMs
  }

  isIdle(nowMs: number): boolean {
    return this.#reserving === null && (this.#block === 0 || this.endsAtMs(nowMs) === undefined)
  }

  /** Gives back what was not spent. Nothing may be spent afterwards. */
  async close(): Promise<void> {
    await this.#reserving?.catch(() => undefined)
    const [limit, period, units] = [this.#last, this.#period, this.#block]
    this.#block = 0
    if (limit === undefined || period === undefined || units === 0) return
    await this.#reserve({ ...argsOf(limit), units: -units, startMs: period.startMs })
  }

  #reserveBlock(limit: CountedLimit): Promise<void> {
    this.#reserving ??= this.#fetchBlock(limit).finally(() => {
      this.#reserving = null
    })
    return this.#reserving
  }

  async #fetchBlock(limit: CountedLimit): Promise<void> {
    // Everyone who asks in this turn is served by one reservation.
    await nextTurn()
    const lacking = Math.max(0, this.#awaited - this.#block)
    const isLook = this.#period === undefined && this.#awaited === 0
    const units = isLook ? 0 : Math.max(lacking, blockSize(limit.limit - this.#reserved))
    const { startMs, endMs, reserved, granted } = await this.#reserve({ ...argsOf(limit), units })
    if (this.#period?.startMs !== startMs) this.#block = 0
    this.#period = { startMs, endMs: endMs ?? Number.POSITIVE_INFINITY }
    this.#reserved = reserved
    this.#block += granted
  }
}

function blockSize(left: number): number {
  return Math.max(1, Math.floor(left * BLOCK_PART))
}

function argsOf({ projectId, holder, name, period, limit }: CountedLimit): Omit<ReserveUnitsArgs, 'units'> {
  return { projectId, holderKind: holder.kind, holder: holder.id, name, period, limit }
}
