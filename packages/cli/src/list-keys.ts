import type { ClavigerClient, KeyPage } from '@claviger/client'

type KeyQuery = NonNullable<NonNullable<Parameters<ClavigerClient['listKeys']>[0]>['query']>

const DEFAULT_LIMIT = 50
const MAX_PAGE = 200

/** Lists keys until there are as many as were asked for: a page that is filtered may hold fewer, and even none. */
export async function listKeys(client: ClavigerClient, query: KeyQuery): Promise<KeyPage> {
  const limit = query.limit ?? DEFAULT_LIMIT
  const items: KeyPage['items'] = []
  let cursor = query.cursor
  for (;;) {
    const missing = limit - items.length
    const page = await client.listKeys({ query: { ...query, cursor, limit: Math.min(missing, MAX_PAGE) } })
    items.push(...page.items)
    if (page.nextCursor === null || items.length >= limit) return { items, nextCursor: page.nextCursor }
    cursor = page.nextCursor
  }
}
