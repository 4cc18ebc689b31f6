import type { Kysely } from 'kysely'
import type { Schema } from '../storage/schema.ts'
import { appendEntry } from './append-entry.ts'
import type { AuditChain } from './audit-chain.ts'
import { CHAIN_START, type ChainPoint, macOf } from './entry-mac.ts'

const PAGE_ENTRIES = 1_000

/**
 * Chains the entries from before there were chains, once, by the start that runs the migration. An entry after them says
 * so in each project: the chain proves what they were at that start, and nothing of the time before it.
 */
export async function chainOldEntries(
  db: Kysely<Schema>,
  chain: AuditChain,
  identity: { readonly atMs: number; readonly commandId: string },
): Promise<void> {
  const projects = await db.selectFrom('audit').select('project_id').distinct().execute()
  for (const { project_id: projectId } of projects) {
    let last: ChainPoint = CHAIN_START
    for (let next = last; ; last = next) {
      next = await chainPage(db, chain, { projectId, last })
      if (next.sequence === last.sequence) break
    }
    await appendEntry(db, chain, {
      ...identity,
      actor: { kind: 'installation' },
      projectId,
      action: 'audit.chain',
      target: projectId,
      detail: { entriesBefore: last.sequence },
    })
  }
}

async function chainPage(
  db: Kysely<Schema>,
  { keys }: AuditChain,
  { projectId, last }: { readonly projectId: string; readonly last: ChainPoint },
): Promise<ChainPoint> {
  const rows = await db
    .selectFrom('audit')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('sequence', '>', last.sequence)
    .orderBy('sequence')
    .limit(PAGE_ENTRIES)
    .execute()
  let point = last
  for (const row of rows) {
    point = { sequence: row.sequence, mac: macOf(keys.chain, row, point.mac) }
    await db
      .updateTable('audit')
      .set({ mac: point.mac })
      .where('project_id', '=', projectId)
      .where('sequence', '=', row.sequence)
      .execute()
  }
  return point
}
