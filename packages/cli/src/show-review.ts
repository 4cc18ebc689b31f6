import { colors, printTable } from './output.ts'
import type { Finding } from './review-keys.ts'

const KEYS_SHOWN = 5

/** A line a kind that has keys, and the oldest of these under it. */
export function printReview(findings: readonly Finding[]): void {
  const found = findings.filter(({ keys }) => keys.length > 0)
  if (found.length === 0) {
    console.log('There is nothing to look at.')
    return
  }
  for (const { name, advice, keys, more } of found) {
    const count = `${keys.length}${more ? ' or more' : ''}`
    console.log(`${colors.bold(name)} (${count}): ${advice}`)
    printTable(
      ['  ID', 'NAME', 'SUBJECT', 'EXPIRES', 'LAST USED'],
      keys
        .slice(0, KEYS_SHOWN)
        .map((key) => [`  ${key.id}`, key.name, key.subject, key.expiresAt ?? 'never', key.lastUsedAt]),
    )
    if (keys.length > KEYS_SHOWN) console.log(`  and ${keys.length - KEYS_SHOWN} more`)
    console.log()
  }
  console.log('All of one kind: claviger keys list, with its filter.')
}
