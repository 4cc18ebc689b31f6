import type { ClavigerClient, Key } from '@claviger/client'
import { listKeys } from './list-keys.ts'

export interface ReviewPeriods {
  readonly unusedSeconds: number
  readonly expiringSeconds: number
  readonly notRotatedSeconds: number
}

/** The keys of one kind that somebody should look at. */
export interface Finding {
  readonly name:
    | 'never-used'
    | 'unused'
    | 'expiring'
    | 'expired'
    | 'never-expires'
    | 'unlimited'
    | 'not-rotated'
    | 'over-broad'
  /** What is the matter with them, and what to do. */
  readonly advice: string
  readonly keys: readonly Key[]
  /** True: there are more than those. */
  readonly more: boolean
}

/** Looks for every kind, up to so many keys of each. It reads, and changes nothing. */
export async function reviewKeys(
  client: ClavigerClient,
  { limit, ...periods }: ReviewPeriods & { readonly limit: number },
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const { name, advice, query } of questions(periods)) {
    const { items, nextCursor } = await listKeys(client, { ...query, limit })
    findings.push({ name, advice, keys: items, more: nextCursor !== null && items.length >= limit })
  }
  return findings
}

function questions({ unusedSeconds, expiringSeconds, notRotatedSeconds }: ReviewPeriods) {
  const status = 'active' as const
  return [
    {
      name: 'over-broad',
      advice: 'an action on every resource; name the resources they need',
      query: { status, overBroad: true },
    },
    {
      name: 'never-expires',
      advice: 'valid for ever; give them an expiry',
      query: { status, neverExpires: true },
    },
    {
      name: 'unlimited',
      advice: 'nothing bounds how often they are used; give them or their subject a limit',
      query: { status, unlimited: true },
    },
    {
      name: 'never-used',
      advice: 'never used; revoke those that nobody waits for',
      query: { status, neverUsed: true, unusedForSeconds: unusedSeconds },
    },
    {
      name: 'unused',
      advice: 'not used any more; ask their owners, then revoke them',
      query: { status, neverUsed: false, unusedForSeconds: unusedSeconds },
    },
    {
      name: 'not-rotated',
      advice: 'text not changed for long; rotate them',
      query: { status, notRotatedForSeconds: notRotatedSeconds },
    },
    {
      name: 'expiring',
      advice: 'end soon; tell their owners, or put the expiry off',
      query: { status, expiresWithinSeconds: expiringSeconds },
    },
    {
      name: 'expired',
      advice: 'ended; delete them',
      query: { status: 'expired' },
    },
  ] as const
}
