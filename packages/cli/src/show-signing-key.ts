import type { SigningKey, SigningKeyPage } from '@claviger/client'
import { type Cell, printRecord, printTable } from './output.ts'

export function printSigningKey(key: SigningKey): void {
  printRecord([
    ['id', key.id],
    ['algorithm', key.algorithm],
    ['status', key.status],
    ['published', key.createdAt],
    ...timesOf(key),
  ])
}

export function printSigningKeys({ items, nextCursor }: SigningKeyPage): void {
  printTable(
    ['ID', 'ALGORITHM', 'STATUS', 'PUBLISHED', 'SIGNS FROM', 'UNTIL', 'RETIRED'],
    items.map((key) => [
      key.id,
      key.algorithm,
      key.status,
      key.createdAt,
      key.activatedAt ?? key.activatesAt,
      key.supersededAt,
      key.retiredAt ?? key.retiresAt,
    ]),
  )
  if (nextCursor !== null) console.log(`\nThere are more: --cursor ${nextCursor}`)
}

/** What has happened to the key, and what will; nothing of what has no time yet. */
function timesOf(key: SigningKey): (readonly [string, Cell])[] {
  const times: readonly (readonly [string, string | null])[] = [
    ['will sign from', key.status === 'next' ? (key.activatesAt ?? 'the next rotation') : null],
    ['signs from', key.activatedAt],
    ['signed until', key.supersededAt],
    ['will be retired', key.retiresAt],
    ['retired', key.retiredAt],
  ]
  return times.filter(([, time]) => time !== null)
}
