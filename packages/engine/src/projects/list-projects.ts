import Type from 'typebox'
import { parseInput } from '../input.ts'
import { currentRights, requireVerb } from '../management/authorize.ts'
import { makePage, type Page, PageInput, readPageRequest } from '../page.ts'
import { loadProjectViews, type ProjectView } from './project-view.ts'
import type { ProjectsScope } from './projects-scope.ts'

export const ListProjectsInput = Type.Object({ ...PageInput }, { additionalProperties: false })

/** The projects that the caller sees, by name: a bound key its own alone (rule M2). */
export async function listProjects(scope: ProjectsScope, input: unknown = {}): Promise<Page<ProjectView>> {
  const { reader } = scope
  const rights = await currentRights(scope)
  requireVerb(rights, 'projects:read')
  const request = readPageRequest(parseInput(ListProjectsInput, input), { list: 'projects', projectId: null })
  let query = reader.selectFrom('projects').selectAll().orderBy('name').limit(request.rows)
  if (request.after !== undefined) query = query.where('name', '>', request.after)
  if (rights.boundTo !== null) query = query.where('id', '=', rights.boundTo)
  const rows = await query.execute()
  const viewOf = await loadProjectViews(reader, rows)
  return makePage(rows, request, { keyOf: (row) => row.name, itemOf: viewOf })
}
