import { CodedError } from '../coded-error.ts'
import { currentRights, requireVerb } from '../management/authorize.ts'
import { ForeignProject } from '../management/foreign-project.ts'
import { loadProjectViews, type ProjectView } from './project-view.ts'
import type { ProjectsScope } from './projects-scope.ts'

/** Throws `not_found` when there is no such project, or the caller is bound to another one (rule M2). */
export async function readProject(scope: ProjectsScope, name: string): Promise<ProjectView> {
  const { reader } = scope
  const rights = await currentRights(scope)
  requireVerb(rights, 'projects:read')
  const row = await reader.selectFrom('projects').selectAll().where('name', '=', name).executeTakeFirst()
  if (rights.boundTo !== null && rights.boundTo !== row?.id) throw new ForeignProject()
  if (row === undefined) throw new CodedError('not_found', 'There is no project of this name.')
  const viewOf = await loadProjectViews(reader, [row])
  return viewOf(row)
}
