const DAY_MS = 86_400_000

/** How long a span is, how long its counts are kept, and how much of it one question may cover. */
export const RESOLUTIONS = {
  minute: { lengthMs: 60_000, keptMs: 2 * DAY_MS, maxRangeMs: 2 * DAY_MS },
  hour: { lengthMs: 3_600_000, keptMs: 35 * DAY_MS, maxRangeMs: 35 * DAY_MS },
  day: { lengthMs: DAY_MS, keptMs: 400 * DAY_MS, maxRangeMs: 400 * DAY_MS },
} as const

export type Resolution = keyof typeof RESOLUTIONS

export const RESOLUTION_NAMES = ['minute', 'hour', 'day'] as const satisfies readonly Resolution[]

/** The start of the span that a time falls into; days are those of UTC. */
export function startOfSpan(atMs: number, resolution: Resolution): number {
  return atMs - (atMs % RESOLUTIONS[resolution].lengthMs)
}
