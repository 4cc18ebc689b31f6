import Type from 'typebox'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import { makePage, type Page, PageInput, readPageRequest } from '../page.ts'
import type { Scope } from '../scope.ts'
import { type RoleView, viewRole } from './role-view.ts'

export const ListRolesInput = Type.Object({ ...PageInput }, { additionalProperties: false })

/** The project's roles by name. */
export async function listRoles(scope: Scope, input: unknown = {}): Promise<Page<RoleView>> {
  await authorizeRead(scope, 'roles:read')
  const request = readPageRequest(parseInput(ListRolesInput, input), {
    list: 'roles',
    projectId: scope.projectId,
  })
  const rows = await scope.reader
    .selectFrom('roles')
    .selectAll()
    .where('project_id', '=', scope.projectId)
    .where('deleted_at_ms', 'is', null)
    .$if(request.after !== undefined, (query) => query.where('name', '>', request.after ?? ''))
    .orderBy('name')
    .limit(request.rows)
    .execute()
  return makePage(rows, request, { keyOf: (row) => row.name, itemOf: viewRole })
}
