import type { LimitFigure, LimitHolder } from '@claviger/verify'
import { type Period, periodEndMs, periodStartMs } from './period.ts'

/** One limit of a call. */
export interface CountedLimit {
  readonly projectId: string
  readonly holder: LimitHolder
  readonly name: string
  readonly limit: number
  readonly period: Period
}

/** What is left of one limit now. */
export interface Balance {
  readonly remaining: number
  /** Of that, what can be spent without waiting for the disk. */
  readonly atHand: number
}

/** Counts what is spent of one limit. */
export interface Counter {
  /** Undefined: not known yet, ask {@link bring}. */
  balance(limit: number, nowMs: number): Balance | undefined
  /** Takes what {@link balance} showed to be at hand. */
  take(limit: CountedLimit, cost: number, nowMs: number): void
  /** Puts back what was taken in the period that ends then, and not spent. Of another period nothing can be put back. */
  putBack(units: number, endsAtMs: number, nowMs: number): void
  /** Makes as much available as is left of the cost. Rejects when it cannot be stored. */
  bring(limit: CountedLimit, cost: number): Promise<void>
  /** When the period that is counted ends; undefined: none is open. */
  endsAtMs(nowMs: number): number | undefined
  /** Whether forgetting it loses nothing. */
  isIdle(nowMs: number): boolean
}

export function figureOf(limit: CountedLimit, counter: Counter, nowMs: number): LimitFigure {
  const endsAtMs = counter.endsAtMs(nowMs) ?? periodEndMs(limit.period, periodStartMs(limit.period, nowMs))
  return {
    of: limit.holder.kind,
    name: limit.name,
    limit: limit.limit,
    remaining: counter.balance(limit.limit, nowMs)?.remaining ?? 0,
    resetSeconds: Number.isFinite(endsAtMs) ? Math.max(1, Math.ceil((endsAtMs - nowMs) / 1000)) : null,
  }
}
