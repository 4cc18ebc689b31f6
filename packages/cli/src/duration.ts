import { InvalidArgumentError } from 'commander'

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** `30d`, `12h`, `45m` or `90s` in seconds. */
export function parseDuration(text: string): number {
  const [, count, unit = ''] = /^([0-9]{1,6})([smhd])$/.exec(text) ?? []
  const seconds = UNIT_SECONDS[unit]
  if (seconds !== undefined) return Number(count) * seconds
  throw new InvalidArgumentError('Write it with its unit, such as 30d, 12h, 45m or 90s.')
}
