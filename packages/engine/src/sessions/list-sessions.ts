import type { ExpressionBuilder } from 'kysely'
import Type from 'typebox'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import { makePage, type Page, PageInput, readPageRequest } from '../page.ts'
import type { Scope } from '../scope.ts'
import type { Schema } from '../storage/schema.ts'
import { SubjectId } from '../subjects/subject-input.ts'
import { loadSessionStates, type SessionState } from './session-state.ts'
import { SessionStateName, type SessionView, viewSession } from './session-view.ts'

export const ListSessionsInput = Type.Object(
  {
    ...PageInput,
    subject: Type.Optional(SubjectId),
    state: Type.Optional(SessionStateName),
  },
  { additionalProperties: false },
)

/**
 * The project's sessions, the newest first. A page that is filtered by state may come out shorter than its limit: what
 * revocations and disabled subjects do to a session is worked out for the page.
 */
export async function listSessions(scope: Scope, input: unknown = {}): Promise<Page<SessionView>> {
  await authorizeRead(scope, 'sessions:read')
  const filters = parseInput(ListSessionsInput, input)
  const request = readPageRequest(filters, { list: 'sessions', projectId: scope.projectId })
  const nowMs = scope.clock.nowMs()
  const { reader: db, projectId } = scope
  let query = db
    .selectFrom('sessions')
    .selectAll()
    .where('project_id', '=', projectId)
    .orderBy('id', 'desc')
    .limit(request.rows)
  if (request.after !== undefined) query = query.where('id', '<', request.after)
  if (filters.subject !== undefined) query = query.where('subject', '=', filters.subject)
  const { state } = filters
  if (state !== undefined) query = query.where((eb) => mayHaveState(eb, state, nowMs))
  const rows = await query.execute()
  const stateOf = await loadSessionStates({ db, projectId, nowMs }, rows)
  const page = makePage(rows, request, {
    keyOf: (row) => row.id,
    itemOf: (row) => viewSession(row, stateOf(row)),
  })
  return state === undefined
    ? page
    : { ...page, items: page.items.filter((session) => session.state === state) }
}

/** What the session's own row says against a state: leaves out most of what a page would drop. */
function mayHaveState(eb: ExpressionBuilder<Schema, 'sessions'>, state: SessionState, nowMs: number) {
  const unended = eb('ended_at_ms', 'is', null)
  if (state === 'active') return eb.and([unended, eb('refresh_until_ms', '>', nowMs)])
  if (state === 'expired') return eb.and([unended, eb('refresh_until_ms', '<=', nowMs)])
  return state === 'suspended' ? unended : eb('id', 'is not', null)
}
