import { type Position, parsePosition } from '@claviger/verify'
import { MANAGEMENT_PROJECT, type Scope } from '../scope.ts'
import type { Receipt } from './receipt.ts'

/** A place in the feed of one project. */
interface Place {
  readonly projectId: string
  readonly position: Position
}

/**
 * The receipt with what is true of it at this moment: whether any verifier in another process can still answer from before
 * it, and which (rule V8).
 */
export async function withReach(scope: Scope, receipt: Receipt): Promise<Receipt> {
  const behind = new Set<string>()
  for (const place of await placesOf(scope, receipt)) {
    const { projectId, position } = place
    const reach = scope.edge.reach(projectId, position, await epochBeginning(scope, place))
    for (const name of reach.behind) behind.add(name)
  }
  return { ...receipt, effective: behind.size === 0, verifiers: [...behind] }
}

/** Where the revocation stands: that of a management key in the feed of each project it could have minted in (rule V5). */
async function placesOf({ reader, projectId }: Scope, { id, position: text }: Receipt): Promise<Place[]> {
  const position = parsePosition(text)
  if (position === undefined) throw new TypeError(`the revocation ${id} has no position`)
  const rule = await reader
    .selectFrom('revocations')
    .select(['project_id', 'target'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (rule?.project_id !== MANAGEMENT_PROJECT) return [{ projectId, position }]
  const rows = await reader
    .selectFrom('revocations')
    .select(['project_id', 'epoch', 'number'])
    .where('kind', '=', 'client')
    .where('target', '=', rule.target)
    .execute()
  return rows.map((row) => ({
    projectId: row.project_id,
    position: { epoch: row.epoch, number: row.number },
  }))
}

async function epochBeginning({ reader }: Scope, { projectId, position }: Place): Promise<number> {
  const row = await reader
    .selectFrom('epochs')
    .select('began_at_ms')
    .where('project_id', '=', projectId)
    .where('epoch', '=', position.epoch)
    .executeTakeFirst()
  return row?.began_at_ms ?? 0
}
