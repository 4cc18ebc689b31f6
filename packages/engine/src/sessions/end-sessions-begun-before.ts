import type { RevocationRule } from '@claviger/verify'
import type { CommandContext } from '../commands/command.ts'
import { endSession } from './end-session.ts'

/** `iat` counts whole seconds: what is not certainly later is taken for earlier (rule V3). */
const DOUBT_MS = 1000

/**
 * Ends the sessions that a rule with `issuedBefore` concerns. The rule alone would stop their refreshes, and spare the access
 * token that a session of long ago was refreshed with a minute ago: no refresh may spare what was stolen (rule V2).
 */
export async function endSessionsBegunBefore(
  context: CommandContext,
  projectId: string,
  { rule, reason }: { readonly rule: RevocationRule; readonly reason: string | null },
): Promise<void> {
  const { kind, target, only, issuedBeforeMs } = rule
  if (issuedBeforeMs === null || only === 'keys') return
  let query = context.db
    .selectFrom('sessions')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('ended_at_ms', 'is', null)
    .where('created_at_ms', '<', issuedBeforeMs + DOUBT_MS)
  if (kind === 'subject') query = query.where('subject', '=', target)
  if (kind === 'client') query = query.where('client_id', '=', target)
  for (const session of await query.execute()) await endSession(context, session, reason)
}
