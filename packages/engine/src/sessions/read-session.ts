import { authorizeRead } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import { loadSession } from './session.ts'
import { loadSessionStates } from './session-state.ts'
import { type SessionView, viewSession } from './session-view.ts'

/** Throws `not_found`, for a session of another project too. */
export async function readSession(scope: Scope, id: string): Promise<SessionView> {
  await authorizeRead(scope, 'sessions:read')
  const { reader: db, projectId } = scope
  const row = await loadSession(db, { projectId, id })
  const stateOf = await loadSessionStates({ db, projectId, nowMs: scope.clock.nowMs() }, [row])
  return viewSession(row, stateOf(row))
}
