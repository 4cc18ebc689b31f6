import Type, { type Static, type TOptional } from 'typebox'
import { CAP_NAMES, CAPS, type Cap } from '../caps/caps.ts'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { currentRights, loadRights } from '../management/authorize.ts'
import { requireInstallation } from './create-project.ts'
import { loadProjectViews, type ProjectView } from './project-view.ts'
import type { ProjectsScope } from './projects-scope.ts'
import { resolveProject } from './resolve-project.ts'

const MAX_CAP = 1_000_000_000

function capInput(name: Cap) {
  const { description, most } = CAPS[name]
  return Type.Union([Type.Integer({ minimum: 0, maximum: MAX_CAP }), Type.Null()], {
    description: `${description} Null: the default, ${most}.`,
  })
}

const CapsInput = Type.Object(
  Object.fromEntries(CAP_NAMES.map((name) => [name, Type.Optional(capInput(name))])) as Record<
    Cap,
    TOptional<ReturnType<typeof capInput>>
  >,
  {
    additionalProperties: false,
    description: 'What the project may hold at most. Caps that are absent stay as they are.',
  },
)

export const ChangeProjectInput = Type.Object(
  { caps: Type.Optional(CapsInput) },
  { additionalProperties: false },
)
export type ChangeProjectInput = Static<typeof ChangeProjectInput>

interface ChangeProjectArgs {
  readonly name: string
  readonly caps: Readonly<Partial<Record<Cap, number | null>>>
}

/**
 * Changes what a project may hold. Only root may: a bound key could raise what it is held to itself. A cap below what
 * there is takes nothing away, and lets nothing be added.
 */
export async function changeProject(
  scope: ProjectsScope,
  name: string,
  input: unknown,
): Promise<ProjectView> {
  requireInstallation(await currentRights(scope))
  const { caps = {} } = parseInput(ChangeProjectInput, input)
  return scope.writer.run('change-project', { name, caps }, scope.actor)
}

export const changeProjectCommand: Command<ChangeProjectArgs, ProjectView> = async (
  context,
  { name, caps },
) => {
  requireInstallation(await loadRights(context))
  const { id } = await resolveProject(context.db, name)
  for (const cap of CAP_NAMES) {
    const most = caps[cap]
    if (most === undefined) continue
    await context.db.deleteFrom('project_caps').where('project_id', '=', id).where('cap', '=', cap).execute()
    if (most === null) continue
    await context.db.insertInto('project_caps').values({ project_id: id, cap, most }).execute()
  }
  await context.audit({ projectId: id, action: 'project.change', target: id, detail: { caps } })
  const row = await context.db
    .selectFrom('projects')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const viewOf = await loadProjectViews(context.db, [row])
  return viewOf(row)
}
