import type { HeaderAlgorithm } from '@claviger/verify'
import type { Kysely, Selectable } from 'kysely'
import { CodedError } from '../coded-error.ts'
import type { GivenRights, RightsPlace } from '../roles/role-permissions.ts'
import type { Schema, SessionTable } from '../storage/schema.ts'
import { findSubject } from '../subjects/read-subject.ts'
import { readSubjectRow } from '../subjects/subject-record.ts'
import { findPresented, type PresentedToken } from './refresh-chain.ts'

export type SessionRow = Selectable<SessionTable>

/** Throws `not_found`, for a session of another project too. */
export async function loadSession(
  db: Kysely<Schema>,
  { projectId, id }: { readonly projectId: string; readonly id: string },
): Promise<SessionRow> {
  const row = await db
    .selectFrom('sessions')
    .selectAll()
    .where('id', '=', id)
    .where('project_id', '=', projectId)
    .executeTakeFirst()
  if (row === undefined) throw new CodedError('not_found', 'There is no such session here.')
  return row
}

/** The session that a refresh token, the current one or an old one, belongs to. Throws `not_found`. */
export async function findSessionOfRefreshToken(
  db: Kysely<Schema>,
  presented: PresentedToken,
): Promise<SessionRow> {
  const token = await findPresented(db, presented)
  const row = await db
    .selectFrom('sessions')
    .selectAll()
    .where('id', '=', token?.session_id ?? '')
    .where('project_id', '=', presented.projectId)
    .executeTakeFirst()
  if (row === undefined)
    throw new CodedError('not_found', 'The refresh token is of no session of this project.')
  return row
}

/** What the session was given itself; null: nothing of its own (rule R6). */
export function ownRights({
  roles,
  permissions,
}: Pick<SessionRow, 'roles' | 'permissions'>): Omit<GivenRights, 'scopes'> | null {
  if (roles === null || permissions === null) return null
  return { roles: JSON.parse(roles), permissions: JSON.parse(permissions) }
}

/** What its access tokens are given now. One that has nothing of its own takes what its subject's record lists (rule R6). */
export async function liveSessionRights(
  place: RightsPlace,
  session: Pick<SessionRow, 'subject' | 'roles' | 'permissions' | 'scopes'>,
): Promise<GivenRights> {
  const scopes = session.scopes === null ? null : JSON.parse(session.scopes)
  const own = ownRights(session)
  if (own !== null) return { ...own, scopes }
  const row = await findSubject(place, session.subject)
  const record = row === undefined ? null : readSubjectRow(row)
  return { roles: record?.roles ?? [], permissions: record?.permissions ?? [], scopes }
}

export function audiencesOf({ audience }: Pick<SessionRow, 'audience'>): string[] {
  return JSON.parse(audience)
}

export function algorithmOf({ algorithm }: Pick<SessionRow, 'algorithm'>): HeaderAlgorithm | null {
  return algorithm as HeaderAlgorithm | null
}
