import Type from 'typebox'
import { parseInput } from '../input.ts'
import { selectKeys } from '../keys/key.ts'
import { KeyFilters, keepStatus, matchesKeyFilters } from '../keys/list-keys.ts'
import { makePage, type Page, PageInput, readPageRequest } from '../page.ts'
import { resolveProject } from '../projects/resolve-project.ts'
import type { Scope } from '../scope.ts'
import { authorizeRead, managementPlace } from './authorize.ts'
import { loadManagementKeyViews, type ManagementKeyView } from './management-key-view.ts'

export const ListManagementKeysInput = Type.Object(
  {
    ...PageInput,
    ...KeyFilters,
    project: Type.Optional(Type.String({ maxLength: 64, description: 'Only those bound to this project.' })),
  },
  { additionalProperties: false },
)

/** The management keys that the caller sees, the oldest first: its project's, or for root all. */
export async function listManagementKeys(
  scope: Scope,
  input: unknown = {},
): Promise<Page<ManagementKeyView>> {
  const rights = await authorizeRead(scope, 'management-keys:read')
  const filters = parseInput(ListManagementKeysInput, input)
  const request = readPageRequest(filters, { list: 'management-keys', projectId: scope.projectId })
  const nowMs = scope.clock.nowMs()
  let query = selectKeys(scope.reader, managementPlace(rights))
    .where(matchesKeyFilters(filters, nowMs))
    .orderBy('keys.id')
    .limit(request.rows)
  if (request.after !== undefined) query = query.where('keys.id', '>', request.after)
  if (filters.project !== undefined) {
    const { id } = await resolveProject(scope.reader, filters.project)
    query = query.where('keys.managed_project_id', '=', id)
  }
  const rows = await query.execute()
  const viewOf = await loadManagementKeyViews(scope.reader, rows, nowMs)
  return keepStatus(makePage(rows, request, { keyOf: (row) => row.id, itemOf: viewOf }), filters.status)
}
