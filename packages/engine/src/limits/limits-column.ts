import type { Limits } from '@claviger/verify'

export const NO_LIMITS: Limits = { rates: [], quota: null }

/** JSON of the limits; null: there are none. */
export function formatLimits({ rates, quota }: Limits): string | null {
  return rates.length === 0 && quota === null ? null : JSON.stringify({ rates, quota })
}

export function parseLimits(column: string | null): Limits {
  return column === null ? NO_LIMITS : JSON.parse(column)
}
