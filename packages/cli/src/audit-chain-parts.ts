import type { AuditChainPart, ClavigerClient } from '@claviger/client'

const ENTRIES_A_CALL = 1_000

/** The chain of the client's project in its order, a part at a time. */
export async function* readChainParts(
  client: ClavigerClient,
  after?: number,
): AsyncGenerator<AuditChainPart> {
  for (let next: number | null | undefined = after; next !== null; ) {
    const part: AuditChainPart = await client.readAuditChain({
      query: { after: next, limit: ENTRIES_A_CALL },
    })
    yield part
    next = part.nextAfter
  }
}
