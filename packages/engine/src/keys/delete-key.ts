import type { Command, CommandContext } from '../commands/command.ts'
import { authorize } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import { endKey } from './end-key.ts'
import { type KeyRow, loadKey } from './key.ts'

interface DeleteKeyArgs {
  readonly projectId: string
  readonly id: string
}

/**
 * Deletes a key. What is left is a tombstone: its text answers `revoked` for ever, and what was issued to it as a
 * client is dead (rules V4, V5), unless a revocation before has spared that.
 */
export async function deleteKey(scope: Scope, id: string): Promise<void> {
  await scope.writer.run('delete-key', { projectId: scope.projectId, id }, scope.actor)
}

export const deleteKeyCommand: Command<DeleteKeyArgs, null> = async (context, { projectId, id }) => {
  await authorize(context, projectId, 'keys:write')
  const key = await loadKey(context.db, { kind: 'customer', projectId }, id)
  await buryKey(context, key)
  await context.audit({ projectId, action: 'key.delete', target: id, detail: { subject: key.subject } })
  return null
}

/** Ends a key that still lives, and leaves of it what a tombstone needs. */
export async function buryKey(context: CommandContext, key: KeyRow): Promise<void> {
  const alreadyEnded = key.revoked_at_ms !== null
  await endKey(context, key, { reason: key.revoke_reason ?? 'deleted', keepIssued: alreadyEnded })
  await context.db
    .updateTable('keys')
    .set({ deleted_at_ms: context.nowMs, changed_at_ms: context.nowMs, name: '', metadata: '{}' })
    .where('id', '=', key.id)
    .execute()
}
