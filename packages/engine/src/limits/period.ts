import type { Refill } from '@claviger/verify'

/** For how long a counter counts before it begins anew. */
export type Period =
  | { readonly kind: 'window'; readonly seconds: number }
  | { readonly kind: 'calendar'; readonly refill: Refill }

/** Part of a counter's identity: what was counted by one period is found again when a limit returns to it. */
export function periodName(period: Period): string {
  return period.kind === 'window' ? `${period.seconds}s` : (period.refill ?? 'never')
}

/** When the period begins that a first unit spent now falls into. Epoch milliseconds. */
export function periodStartMs(period: Period, nowMs: number): number {
  if (period.kind === 'window') return nowMs
  const now = new Date(nowMs)
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()]
  switch (period.refill) {
    case 'hourly':
      return Date.UTC(year, month, day, now.getUTCHours())
    case 'daily':
      return Date.UTC(year, month, day)
    case 'monthly':
      return Date.UTC(year, month)
    case null:
      return 0
  }
}

/** When the period ends that began at `startMs`. Infinite: never. */
export function periodEndMs(period: Period, startMs: number): number {
  if (period.kind === 'window') return startMs + period.seconds * 1000
  const start = new Date(startMs)
  switch (period.refill) {
    case 'hourly':
      return startMs + 3_600_000
    case 'daily':
      return startMs + 86_400_000
    case 'monthly':
      return Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1)
    case null:
      return Number.POSITIVE_INFINITY
  }
}
