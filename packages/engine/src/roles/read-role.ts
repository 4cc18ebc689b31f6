import type { Selectable } from 'kysely'
import { CodedError } from '../coded-error.ts'
import { authorizeRead } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import type { RoleTable } from '../storage/schema.ts'
import type { RightsPlace } from './role-permissions.ts'
import { type RoleView, viewRole } from './role-view.ts'

/** Throws `not_found` when the project has no such role, or has it no more. */
export async function readRole(scope: Scope, name: string): Promise<RoleView> {
  await authorizeRead(scope, 'roles:read')
  return viewRole(await loadRole({ db: scope.reader, projectId: scope.projectId }, name))
}

export async function loadRole({ db, projectId }: RightsPlace, name: string): Promise<Selectable<RoleTable>> {
  const row = await db
    .selectFrom('roles')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('name', '=', name)
    .where('deleted_at_ms', 'is', null)
    .executeTakeFirst()
  if (row === undefined) throw new CodedError('not_found', 'The project has no role of this name.')
  return row
}
