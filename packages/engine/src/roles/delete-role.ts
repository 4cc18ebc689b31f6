import type { Command } from '../commands/command.ts'
import { authorize } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import { loadRole } from './read-role.ts'

interface DeleteRoleArgs {
  readonly projectId: string
  readonly name: string
}

/**
 * Deletes a role: it confers nothing from the next verification on, and its name is never used again (rule R5).
 * It takes away only, and so needs no grants.
 */
export async function deleteRole(scope: Scope, name: string): Promise<void> {
  await scope.writer.run('delete-role', { projectId: scope.projectId, name }, scope.actor)
}

export const deleteRoleCommand: Command<DeleteRoleArgs, null> = async (context, { projectId, name }) => {
  await authorize(context, projectId, 'roles:write')
  const role = await loadRole({ db: context.db, projectId }, name)
  await context.db
    .updateTable('roles')
    .set({ permissions: '[]', changed_at_ms: context.nowMs, deleted_at_ms: context.nowMs })
    .where('project_id', '=', projectId)
    .where('name', '=', name)
    .execute()
  await context.emit(projectId, { type: 'role', name, permissions: null })
  await context.audit({
    projectId,
    action: 'role.delete',
    target: name,
    detail: { before: JSON.parse(role.permissions) },
  })
  return null
}
