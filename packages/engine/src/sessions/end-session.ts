import type { RevocationRule } from '@claviger/verify'
import type { CommandContext } from '../commands/command.ts'
import { addRule, DAY_MS } from '../revocation/add-rule.ts'
import type { SessionRow } from './session.ts'

/**
 * Ends a session for good, and every access token that was issued in it, at the next verification. Its rule lasts until
 * the last of these has expired, and a day (rule V7).
 *
 * Ending it again changes neither its time nor its reason, and answers a rule all the same.
 */
export async function endSession(
  context: CommandContext,
  session: SessionRow,
  reason: string | null,
): Promise<RevocationRule> {
  if (session.ended_at_ms === null) {
    await context.db
      .updateTable('sessions')
      .set({ ended_at_ms: context.nowMs, end_reason: reason })
      .where('id', '=', session.id)
      .execute()
  }
  return addRule(context, session.project_id, {
    kind: 'session',
    target: session.id,
    issuer: null,
    only: null,
    ban: false,
    issuedBeforeMs: null,
    tokensUntilMs: session.tokens_until_ms + DAY_MS,
    reason,
  })
}
