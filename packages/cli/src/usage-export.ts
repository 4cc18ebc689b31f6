import { once } from 'node:events'
import type { ClavigerClient, ReadUsageData, UsageCount } from '@claviger/client'
import { csvLine } from '@claviger/server/csv'

export const USAGE_FORMATS = ['csv', 'ndjson'] as const
export type UsageFormat = (typeof USAGE_FORMATS)[number]

const MAX_PAGE = 10_000

/** Writes every page of the answer to standard output, as fast as that takes it. */
export async function exportUsage(
  client: ClavigerClient,
  { query, format }: { query: NonNullable<ReadUsageData['query']>; format: UsageFormat },
): Promise<void> {
  let columns: (keyof UsageCount)[] | undefined
  let { cursor } = query
  do {
    const page = await client.readUsage({
      query: { limit: MAX_PAGE, ...query, ...(cursor === undefined ? {} : { cursor }) },
    })
    const isFirst = columns === undefined
    columns ??= Object.keys(page.items[0] ?? { count: 0 }) as (keyof UsageCount)[]
    const head = isFirst && format === 'csv' ? [csvLine(columns)] : []
    const lines = page.items.map(format === 'csv' ? csvWriter(columns) : (item) => JSON.stringify(item))
    const end = format === 'csv' ? '\r\n' : '\n'
    const written = process.stdout.write([...head, ...lines].map((line) => line + end).join(''))
    if (!written) await once(process.stdout, 'drain')
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
}

function csvWriter(columns: readonly (keyof UsageCount)[]): (item: UsageCount) => string {
  return (item) => csvLine(columns.map((column) => item[column]))
}
