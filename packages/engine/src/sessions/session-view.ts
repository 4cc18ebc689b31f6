import Type, { type Static } from 'typebox'
import { formatTime, formatTimeOrNull, Time } from '../time.ts'
import { audiencesOf, ownRights, type SessionRow } from './session.ts'
import { SESSION_STATES, type SessionState } from './session-state.ts'

const TextOrNull = Type.Union([Type.String(), Type.Null()])
const ListOrNull = Type.Union([Type.Array(Type.String()), Type.Null()])
const TimeOrNull = Type.Union([Time, Type.Null()])

export const SessionStateName = Type.Enum([...SESSION_STATES], {
  description:
    '`suspended`: its subject or client is disabled; `expired`: its life is over, or it was idle for too long; `ended`: for good.',
})

export const SessionView = Type.Object({
  id: Type.String(),
  subject: Type.String(),
  audience: Type.Array(Type.String()),
  clientId: Type.String({ description: 'The management key that began it, or `embedded`.' }),
  state: SessionStateName,
  roles: Type.Union(ListOrNull.anyOf, {
    description: "Null: it has no rights of its own, and takes those of the subject's record.",
  }),
  permissions: ListOrNull,
  scopes: ListOrNull,
  device: TextOrNull,
  ip: TextOrNull,
  createdAt: Time,
  refreshedAt: Time,
  refreshExpiresAt: Type.String({ ...Time, description: 'Its end unless it is refreshed before.' }),
  expiresAt: Type.String({ ...Time, description: 'Its end, however often it is refreshed.' }),
  endedAt: TimeOrNull,
  endReason: TextOrNull,
})
export type SessionView = Static<typeof SessionView>

export function viewSession(row: SessionRow, state: SessionState): SessionView {
  return {
    id: row.id,
    subject: row.subject,
    audience: audiencesOf(row),
    clientId: row.client_id,
    state,
    roles: mutable(ownRights(row)?.roles),
    permissions: mutable(ownRights(row)?.permissions),
    scopes: row.scopes === null ? null : JSON.parse(row.scopes),
    device: row.device,
    ip: row.ip,
    createdAt: formatTime(row.created_at_ms),
    refreshedAt: formatTime(row.refreshed_at_ms),
    refreshExpiresAt: formatTime(row.refresh_until_ms),
    expiresAt: formatTime(row.expires_at_ms),
    endedAt: formatTimeOrNull(row.ended_at_ms),
    endReason: row.end_reason,
  }
}

function mutable(list: readonly string[] | undefined): string[] | null {
  return list === undefined ? null : [...list]
}
