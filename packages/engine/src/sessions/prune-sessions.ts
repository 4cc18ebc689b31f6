import type { Command } from '../commands/command.ts'

const DAY_MS = 86_400_000
/** Few enough that no other command waits for long. */
const SESSIONS_AT_ONCE = 50
const TOKENS_AT_ONCE = 100

/**
 * Forgets sessions a day after the last of their tokens, access or refresh, would have expired by itself, whether they
 * were ended or not. Until then they can be ended, and a refresh token that is reused ends them. The rules that ended
 * some are rows of their own and stay, so nothing of these is accepted afterwards (rule V7).
 *
 * A session goes after its refresh tokens, of which it may have had too many for one command.
 */
export const pruneSessionsCommand: Command<null, { more: boolean }> = async ({ db, nowMs }) => {
  const over = db
    .selectFrom('sessions')
    .select('id')
    .where('refresh_until_ms', '<', nowMs - DAY_MS)
    .where('tokens_until_ms', '<', nowMs - DAY_MS)
    .orderBy('refresh_until_ms')
    .limit(SESSIONS_AT_ONCE)
  const ids = (await over.execute()).map(({ id }) => id)
  if (ids.length === 0) return { more: false }
  const tokens = db
    .selectFrom('refresh_tokens')
    .select('digest')
    .where('session_id', 'in', ids)
    .limit(TOKENS_AT_ONCE)
  const { numDeletedRows } = await db
    .deleteFrom('refresh_tokens')
    .where('digest', 'in', tokens)
    .executeTakeFirstOrThrow()
  await db
    .deleteFrom('sessions')
    .where('id', 'in', ids)
    .where(({ exists, not, selectFrom }) =>
      not(
        exists(
          selectFrom('refresh_tokens')
            .select('digest')
            .whereRef('refresh_tokens.session_id', '=', 'sessions.id'),
        ),
      ),
    )
    .execute()
  return { more: ids.length === SESSIONS_AT_ONCE || numDeletedRows === BigInt(TOKENS_AT_ONCE) }
}
