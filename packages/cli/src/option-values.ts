import { InvalidArgumentError } from 'commander'

/** `a,b` as a list; an empty text is the empty list. */
export function parseList(text: string): string[] {
  return text.trim() === '' ? [] : text.split(',').map((entry) => entry.trim())
}

/** For an option that may be given more than once. */
export function appendValue(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

export function parseWholeNumber(text: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number.')
}

const LIMIT = /^([a-z0-9][a-z0-9_.-]{0,63})=([0-9]{1,13})\/([0-9]{1,7})(s|m|h|d)$/
const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 }

interface RateLimitOption {
  readonly name: string
  readonly limit: number
  readonly windowSeconds: number
}

/** `per-minute=100/60s`, which may be given more than once. */
export function appendLimit(text: string, before: readonly RateLimitOption[] = []): RateLimitOption[] {
  const [, name, limit, length, unit] = LIMIT.exec(text) ?? []
  if (name === undefined || unit === undefined) {
    throw new InvalidArgumentError(
      'Write name=units/window, as in per-minute=100/60s; windows in s, m, h or d.',
    )
  }
  const seconds = UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS]
  return [...before, { name, limit: Number(limit), windowSeconds: Number(length) * seconds }]
}

const REFILLS = ['hourly', 'daily', 'monthly'] as const

interface QuotaOption {
  readonly limit: number
  readonly refill: (typeof REFILLS)[number] | null
}

/** `1000/daily`; `1000` alone is never refilled. */
export function parseQuota(text: string): QuotaOption {
  const [, limit, name] = /^([0-9]{1,13})(?:\/([a-z]+))?$/.exec(text) ?? []
  const refill = name === undefined ? null : REFILLS.find((known) => known === name)
  if (limit !== undefined && refill !== undefined) return { limit: Number(limit), refill }
  throw new InvalidArgumentError(
    'Write units/refill, as in 1000/daily: hourly, daily or monthly; 1000 alone is never refilled.',
  )
}

export function parseJsonObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new InvalidArgumentError('It must be a JSON object.')
}
