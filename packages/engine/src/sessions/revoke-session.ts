import Type, { type Static } from 'typebox'
import { withoutCredentials } from '../audit/without-credentials.ts'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { authorize } from '../management/authorize.ts'
import { type Receipt, receiptOf } from '../revocation/receipt.ts'
import { withReach } from '../revocation/with-reach.ts'
import type { Scope } from '../scope.ts'
import { endSession } from './end-session.ts'
import { loadSession } from './session.ts'

export const RevokeSessionInput = Type.Object(
  {
    reason: Type.Optional(
      Type.String({ maxLength: 500, description: 'For the record; shown with the session.' }),
    ),
  },
  { additionalProperties: false },
)
export type RevokeSessionInput = Static<typeof RevokeSessionInput>

interface RevokeSessionArgs {
  readonly projectId: string
  readonly id: string
  readonly reason: string | null
}

/**
 * Ends a session, its refresh token and every access token that was issued in it: logs out. It takes away only, and so
 * needs no grants. Ending it again changes nothing, and answers a receipt again.
 */
export async function revokeSession(scope: Scope, id: string, input: unknown = {}): Promise<Receipt> {
  const { reason } = parseInput(RevokeSessionInput, input)
  const args = {
    projectId: scope.projectId,
    id,
    reason: reason === undefined ? null : withoutCredentials(reason),
  }
  return withReach(scope, await scope.writer.run('revoke-session', args, scope.actor))
}

export const revokeSessionCommand: Command<RevokeSessionArgs, Receipt> = async (
  context,
  { projectId, id, reason },
) => {
  await authorize(context, projectId, 'sessions:write')
  const session = await loadSession(context.db, { projectId, id })
  const rule = await endSession(context, session, reason)
  await context.audit({
    projectId,
    action: 'session.revoke',
    target: id,
    detail: { subject: session.subject, reason },
  })
  return receiptOf(rule)
}
