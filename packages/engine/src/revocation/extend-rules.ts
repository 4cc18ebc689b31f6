import type { CommandContext } from '../commands/command.ts'
import { DAY_MS } from './add-rule.ts'
import { readRule, SECRET_KIND, SIGNING_KEY_KIND } from './rule-row.ts'

/**
 * Lets the project's rules last until tokens have expired that were signed elsewhere, by a key that is brought here now:
 * one that was revoked before must not come back with it (rule V7). Rules that were forgotten come back.
 */
export async function extendRules(
  context: CommandContext,
  projectId: string,
  tokensUntilMs: number,
): Promise<void> {
  const untilMs = tokensUntilMs + DAY_MS
  const rows = await context.db
    .updateTable('revocations')
    .set({ tokens_until_ms: untilMs })
    .where('project_id', '=', projectId)
    .where('kind', 'not in', ['key', SECRET_KIND, SIGNING_KEY_KIND])
    .where('lifted_at_ms', 'is', null)
    .where('tokens_until_ms', '<', untilMs)
    .returningAll()
    .execute()
  if (rows.length === 0) return
  await context.emit(projectId, ...rows.map((row) => ({ type: 'revocation' as const, rule: readRule(row) })))
}
