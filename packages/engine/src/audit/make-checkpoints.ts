import type { Command, CommandContext } from '../commands/command.ts'
import type { SignedPoint } from './signed-point.ts'
import { signPoint } from './signed-point.ts'

export interface MadeCheckpoints {
  readonly checkpoints: readonly SignedPoint[]
  /** Projects whose chain does not hold the entry any more that their last checkpoint signed. */
  readonly broken: readonly string[]
}

interface MakeCheckpointsArgs {
  /** Whose chains may have grown; null: any. */
  readonly projectIds: readonly string[] | null
}

/**
 * Signs how far each chain reaches, where it has grown since its last checkpoint, and puts that into the project's feed.
 * It is no deed, and so leaves no entry: that would be something new to sign.
 */
export const makeAuditCheckpointsCommand: Command<MakeCheckpointsArgs, MadeCheckpoints> = async (
  context,
  { projectIds },
) => {
  const ids = projectIds ?? (await allProjects(context))
  const checkpoints: SignedPoint[] = []
  const broken: string[] = []
  for (const id of ids) {
    const last = await readLastPoint(context, id)
    if (last !== undefined && !(await standsInChain(context, last))) broken.push(id)
    const head = await context.auditChain.head(context.db, id)
    if (head.sequence <= (last?.sequence ?? 0)) continue
    const point = signPoint(context.auditChain.keys.signing, {
      project_id: id,
      kind: 'checkpoint',
      ...head,
      at_ms: context.nowMs,
    })
    await context.db.insertInto('audit_points').values(point).execute()
    const { sequence, mac, at_ms: atMs, signature } = point
    await context.emit(id, { type: 'audit-checkpoint', sequence, mac, atMs, signature })
    checkpoints.push(point)
  }
  return { checkpoints, broken }
}

async function allProjects({ db }: CommandContext): Promise<readonly string[]> {
  const projects = await db.selectFrom('projects').select('id').orderBy('id').execute()
  return projects.map(({ id }) => id)
}

async function readLastPoint({ db }: CommandContext, projectId: string): Promise<SignedPoint | undefined> {
  return await db
    .selectFrom('audit_points')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('kind', '=', 'checkpoint')
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
}

async function standsInChain({ db }: CommandContext, point: SignedPoint): Promise<boolean> {
  const pruned = await db
    .selectFrom('audit_points')
    .select('sequence')
    .where('project_id', '=', point.project_id)
    .where('kind', '=', 'prune')
    .where('sequence', '>=', point.sequence)
    .executeTakeFirst()
  if (pruned !== undefined) return true
  const entry = await db
    .selectFrom('audit')
    .select('mac')
    .where('project_id', '=', point.project_id)
    .where('sequence', '=', point.sequence)
    .executeTakeFirst()
  return entry?.mac === point.mac
}
