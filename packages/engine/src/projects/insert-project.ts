import type { HeaderAlgorithm, SigningAlgorithm } from '@claviger/verify'
import { firstEpoch } from '../changes/epochs.ts'
import { CodedError } from '../coded-error.ts'
import type { CommandContext } from '../commands/command.ts'
import type { Random } from '../random.ts'
import type { ProjectRow } from './project-view.ts'

/** A project on its way into the database. */
export interface NewProject {
  readonly id: string
  readonly name: string
  readonly keyPrefix: string
  readonly algorithm: HeaderAlgorithm
  /** Its first (rule E1). */
  readonly epoch: string
}

export const DEFAULT_KEY_PREFIX = 'ck'

/** What a project signs with unless its creator chooses otherwise (DESIGN section 7). */
export const DEFAULT_ALGORITHM: SigningAlgorithm = 'RS256'

export function newProject(
  project: {
    readonly id: string
    readonly name: string
    readonly keyPrefix?: string | undefined
    readonly algorithm?: HeaderAlgorithm | undefined
  },
  random: Random,
): NewProject {
  return {
    id: project.id,
    name: project.name,
    keyPrefix: project.keyPrefix ?? DEFAULT_KEY_PREFIX,
    algorithm: project.algorithm ?? DEFAULT_ALGORITHM,
    epoch: firstEpoch(random),
  }
}

/** Writes a project with an empty feed. Throws `already_exists` when the name is taken. */
export async function insertProject(context: CommandContext, project: NewProject): Promise<ProjectRow> {
  const { db, nowMs } = context
  const namesake = await db
    .selectFrom('projects')
    .select('id')
    .where('name', '=', project.name)
    .executeTakeFirst()
  if (namesake !== undefined) {
    throw new CodedError('already_exists', 'There is a project of this name already. Choose another name.')
  }
  const row: ProjectRow = {
    id: project.id,
    name: project.name,
    key_prefix: project.keyPrefix,
    algorithm: project.algorithm,
    epoch: project.epoch,
    head: 0,
    created_at_ms: nowMs,
  }
  await db.insertInto('projects').values(row).execute()
  await db
    .insertInto('epochs')
    .values({ project_id: project.id, epoch: project.epoch, began_at_ms: nowMs })
    .execute()
  await context.audit({
    projectId: project.id,
    action: 'project.create',
    target: project.id,
    detail: { name: project.name, keyPrefix: project.keyPrefix, algorithm: project.algorithm },
  })
  return row
}
