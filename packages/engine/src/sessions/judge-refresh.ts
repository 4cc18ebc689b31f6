import type { Kysely } from 'kysely'
import { CodedError } from '../coded-error.ts'
import type { Schema } from '../storage/schema.ts'
import { findPresented, type PresentedToken } from './refresh-chain.ts'
import type { SessionRow } from './session.ts'
import { loadSessionStates } from './session-state.ts'

/** How long a refresh token that was replaced still brings its successor (rule S1). */
const GRACE_MS = 30_000

export interface Judgement {
  readonly session: SessionRow
  /**
   * - `rotate`: the token is the current one;
   * - `replay`: it was the last before it, whose answer may have been lost: its successor is unused and the grace runs;
   * - `reuse`: it was used before. Two hold the session, and one of them stole it (rule S1).
   */
  readonly step: 'rotate' | 'replay' | 'reuse'
}

/**
 * What the presentation of a refresh token means, from the rows of this transaction. Throws `session_ended` for a token
 * that is not known here and for a session that is over, and `suspended` while its subject or client is disabled.
 *
 * Whether a token is old is decided by its number and never by a clock; a clock decides about the grace alone, and only
 * while the successor is unused. A reuse is found in a session that is suspended or expired, too: its access tokens may
 * still live, or live again.
 */
export async function judgeRefresh(
  { db, nowMs }: { readonly db: Kysely<Schema>; readonly nowMs: number },
  presented: PresentedToken,
): Promise<Judgement> {
  const { projectId } = presented
  const token = await findPresented(db, presented)
  if (token === undefined) throw ended()
  const session = await db
    .selectFrom('sessions')
    .selectAll()
    .where('id', '=', token.session_id)
    .where('project_id', '=', projectId)
    .executeTakeFirst()
  if (session === undefined) throw ended()
  const state = (await loadSessionStates({ db, projectId, nowMs }, [session]))(session)
  if (state === 'ended') throw ended()
  const step = stepOf(token, session.generation, nowMs)
  if (step === 'reuse') return { session, step }
  if (state === 'expired') throw ended()
  if (state === 'suspended') {
    throw new CodedError(
      'suspended',
      'The subject of the session, or the key that began it, is disabled. Once it is enabled the session goes on.',
    )
  }
  return { session, step }
}

function stepOf(
  token: {
    readonly generation: number
    readonly replaced_at_ms: number | null
    readonly isForgotten: boolean
  },
  currentGeneration: number,
  nowMs: number,
): Judgement['step'] {
  if (token.isForgotten) return 'reuse'
  if (token.replaced_at_ms === null) return 'rotate'
  const successorIsUnused = token.generation === currentGeneration - 1
  return successorIsUnused && nowMs - token.replaced_at_ms <= GRACE_MS ? 'replay' : 'reuse'
}

/** One answer for all: whoever found a refresh token does not learn whether it ever was one. */
function ended(): CodedError {
  return new CodedError(
    'session_ended',
    'The refresh token belongs to no session that goes on. Log in again.',
  )
}
