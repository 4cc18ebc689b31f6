import type { Command } from '../commands/command.ts'
import { endKey, type KeyEnd } from '../keys/end-key.ts'
import { loadKey } from '../keys/key.ts'
import { readKeyEnd } from '../keys/revoke-key.ts'
import { type Receipt, receiptOf } from '../revocation/receipt.ts'
import { withReach } from '../revocation/with-reach.ts'
import { MANAGEMENT_PROJECT, type Scope } from '../scope.ts'
import { authorize, managementPlace } from './authorize.ts'

interface RevokeManagementKeyArgs extends KeyEnd {
  readonly selectedProjectId: string
  readonly id: string
}

/**
 * Ends a management key for good. Nothing that it asked for commits after this is acknowledged; the tokens that name
 * it as their client die in its project, for a root key in every one (rule V5), unless `keepIssued` is said.
 */
export async function revokeManagementKey(scope: Scope, id: string, input: unknown = {}): Promise<Receipt> {
  const args = { selectedProjectId: scope.projectId, id, ...readKeyEnd(input) }
  return withReach(scope, await scope.writer.run('revoke-management-key', args, scope.actor))
}

export const revokeManagementKeyCommand: Command<RevokeManagementKeyArgs, Receipt> = async (
  context,
  args,
) => {
  const rights = await authorize(context, args.selectedProjectId, 'management-keys:write')
  const key = await loadKey(context.db, managementPlace(rights), args.id)
  const rule = await endKey(context, key, args)
  await context.audit({
    projectId: MANAGEMENT_PROJECT,
    action: 'management-key.revoke',
    target: args.id,
    detail: { reason: args.reason, keepIssued: args.keepIssued },
  })
  return receiptOf(rule)
}
