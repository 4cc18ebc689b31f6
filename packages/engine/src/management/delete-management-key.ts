import type { Command } from '../commands/command.ts'
import { buryKey } from '../keys/delete-key.ts'
import { loadKey } from '../keys/key.ts'
import { MANAGEMENT_PROJECT, type Scope } from '../scope.ts'
import { authorize, managementPlace } from './authorize.ts'

interface DeleteManagementKeyArgs {
  readonly selectedProjectId: string
  readonly id: string
}

/** Deletes a management key; a tombstone is left, and its text answers `revoked` for ever (rule V4). */
export async function deleteManagementKey(scope: Scope, id: string): Promise<void> {
  const args = { selectedProjectId: scope.projectId, id }
  await scope.writer.run('delete-management-key', args, scope.actor)
}

export const deleteManagementKeyCommand: Command<DeleteManagementKeyArgs, null> = async (context, args) => {
  const rights = await authorize(context, args.selectedProjectId, 'management-keys:write')
  const key = await loadKey(context.db, managementPlace(rights), args.id)
  await buryKey(context, key)
  await context.audit({
    projectId: MANAGEMENT_PROJECT,
    action: 'management-key.delete',
    target: args.id,
    detail: { name: key.name },
  })
  return null
}
