import type { UsageCount, UsagePage } from '@claviger/client'
import { printTable } from './output.ts'

/** The columns stand in the order in which they were asked for. */
export function printUsage({ items, nextCursor }: UsagePage, groups: string): void {
  const columns = [...new Set(groups.split(','))] as Exclude<keyof UsageCount, 'count'>[]
  printTable(
    [...columns.map((column) => column.toUpperCase()), 'COUNT'],
    items.map((item) => [...columns.map((column) => item[column] || null), String(item.count)]),
  )
  if (items.length === 0) console.log('Nothing was counted.')
  if (nextCursor !== null) console.log(`\nThere are more: --cursor ${nextCursor}`)
}
