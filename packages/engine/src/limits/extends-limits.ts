import type { Limits } from '@claviger/verify'

/**
 * Whether more may be spent than before, which gives something (rule M3): a limit is gone, is higher, or counts in another
 * window, where what was spent so far does not count.
 */
export function extendsLimits(before: Limits, after: Limits): boolean {
  const isKept = before.rates.every(({ name, limit, windowSeconds }) =>
    after.rates.some(
      (rate) => rate.name === name && rate.windowSeconds === windowSeconds && rate.limit <= limit,
    ),
  )
  if (!isKept) return true
  const { quota } = before
  if (quota === null) return false
  return after.quota === null || after.quota.refill !== quota.refill || after.quota.limit > quota.limit
}
