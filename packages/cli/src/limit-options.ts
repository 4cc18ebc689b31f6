import type { Key, Verdict } from '@claviger/client'
import type { Command } from 'commander'
import { appendLimit, parseQuota } from './option-values.ts'

export interface LimitOptions {
  readonly limits?: Key['limits']
  readonly quota?: Key['quota']
}

/** As the caller wrote them: commander names an option's value after its flag. */
export interface LimitFlags {
  readonly limit?: Key['limits']
  readonly quota?: Key['quota']
}

/** `--limit` and `--quota`, of keys and of subjects. */
export function addLimitOptions(command: Command): void {
  command
    .option(
      '--limit <name=units/window>',
      'a rate limit, as in per-minute=100/60s; may be given more than once',
      appendLimit,
    )
    .option(
      '--quota <units/refill>',
      'a quota, as in 1000/daily (hourly, daily, monthly, by UTC); 1000 alone is never refilled',
      parseQuota,
    )
}

/** The members of a body; those that were not named are left out. */
export function limitMembers({ limit, quota }: LimitFlags): LimitOptions {
  return {
    ...(limit === undefined ? {} : { limits: limit }),
    ...(quota === undefined ? {} : { quota }),
  }
}

/** The limits and the quota of a key or a subject, a line each. */
export function limitLines({ limits, quota }: Pick<Key, 'limits' | 'quota'>): (readonly [string, string])[] {
  return [
    ...limits.map(
      ({ name, limit, windowSeconds }) => ['limit', `${name}: ${limit} in ${windowSeconds} s`] as const,
    ),
    ...(quota === null ? [] : [['quota', `${quota.limit}, ${quota.refill ?? 'never refilled'}`] as const]),
  ]
}

/** What a verdict says of limits, a line each. */
export function figureLines({ limits = [] }: Pick<Verdict, 'limits'>): (readonly [string, string])[] {
  return limits.map(({ of, name, limit, remaining, resetSeconds }) => [
    'left',
    `${name} (of the ${of}): ${remaining} of ${limit}${resetSeconds === null ? '' : `, full again in ${resetSeconds} s`}`,
  ])
}
