import Type, { type Static } from 'typebox'
import { withoutCredentials } from '../audit/without-credentials.ts'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { authorize } from '../management/authorize.ts'
import { type Receipt, receiptOf } from '../revocation/receipt.ts'
import { withReach } from '../revocation/with-reach.ts'
import type { Scope } from '../scope.ts'
import { endKey, type KeyEnd } from './end-key.ts'
import { loadKey } from './key.ts'

export const RevokeKeyInput = Type.Object(
  {
    reason: Type.Optional(
      Type.String({ maxLength: 500, description: 'For the record; shown with the key.' }),
    ),
    keepIssued: Type.Optional(
      Type.Boolean({ description: 'True: the tokens that name the key as their client live on.' }),
    ),
  },
  { additionalProperties: false },
)
export type RevokeKeyInput = Static<typeof RevokeKeyInput>

interface RevokeKeyArgs extends KeyEnd {
  readonly projectId: string
  readonly id: string
}

/**
 * Ends a key for good (rules V4, V5), for the very next verification. It takes away only, and so needs no
 * grants. Revoking it again changes nothing, but may end what the first time had spared.
 */
export async function revokeKey(scope: Scope, id: string, input: unknown = {}): Promise<Receipt> {
  const args = { projectId: scope.projectId, id, ...readKeyEnd(input) }
  return withReach(scope, await scope.writer.run('revoke-key', args, scope.actor))
}

export const revokeKeyCommand: Command<RevokeKeyArgs, Receipt> = async (context, args) => {
  const { projectId, id, reason, keepIssued } = args
  await authorize(context, projectId, 'keys:write')
  const key = await loadKey(context.db, { kind: 'customer', projectId }, id)
  const rule = await endKey(context, key, args)
  await context.audit({ projectId, action: 'key.revoke', target: id, detail: { reason, keepIssued } })
  return receiptOf(rule)
}

export function readKeyEnd(input: unknown): KeyEnd {
  const { reason, keepIssued } = parseInput(RevokeKeyInput, input)
  return { reason: reason === undefined ? null : withoutCredentials(reason), keepIssued: keepIssued ?? false }
}
