import { CodedError } from '../coded-error.ts'

const DAY_MS = 86_400_000

/** How long a span is, and for how many days its counts are kept at most. */
export const RESOLUTIONS = {
  minute: { lengthMs: 60_000, maxDays: 2 },
  hour: { lengthMs: 3_600_000, maxDays: 35 },
  day: { lengthMs: DAY_MS, maxDays: 3_660 },
} as const

/** How long the counts of days are kept unless the operator says otherwise. */
export const DEFAULT_USAGE_DAYS = 400

/** Checks what an operator says. Throws `invalid_request`. */
export function readUsageDays(days: number = DEFAULT_USAGE_DAYS): number {
  if (Number.isInteger(days) && days >= 1 && days <= RESOLUTIONS.day.maxDays) return days
  throw new CodedError(
    'invalid_request',
    `\`usageDays\` is a whole number from 1 to ${RESOLUTIONS.day.maxDays}.`,
  )
}

/** How long the counts of a resolution are kept, where those of days are kept so many days. */
export function keptMs(resolution: Resolution, days: number): number {
  return Math.min(RESOLUTIONS[resolution].maxDays, days) * DAY_MS
}

export type Resolution = keyof typeof RESOLUTIONS

export const RESOLUTION_NAMES = ['minute', 'hour', 'day'] as const satisfies readonly Resolution[]

/** The start of the span that a time falls into; days are those of UTC. */
export function startOfSpan(atMs: number, resolution: Resolution): number {
  return atMs - (atMs % RESOLUTIONS[resolution].lengthMs)
}
