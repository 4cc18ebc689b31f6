import type { Limits, SubjectRecord } from '@claviger/verify'
import type { Selectable } from 'kysely'
import Type, { type Static } from 'typebox'
import { QuotaOrNull, RateLimits } from '../limits/limit-input.ts'
import { formatLimits, parseLimits } from '../limits/limits-column.ts'
import { loadRolePermissions, type RightsPlace } from '../roles/role-permissions.ts'
import type { SubjectTable } from '../storage/schema.ts'
import { formatTime, Time } from '../time.ts'

/** The project's own issuers, in the column `issuer`. */
export const OWN_ISSUERS = ''

const List = Type.Union([Type.Array(Type.String()), Type.Null()])

export const SubjectView = Type.Object({
  subject: Type.String(),
  roles: List,
  permissions: List,
  disabled: Type.Boolean(),
  metadata: Type.Record(Type.String(), Type.Unknown()),
  limits: RateLimits,
  quota: QuotaOrNull,
  createdAt: Time,
  changedAt: Time,
})
export type SubjectView = Static<typeof SubjectView>

/** A record as it is stored and changed; lists that are null do not bound (rule R6). */
export interface StoredSubject {
  readonly roles: readonly string[] | null
  readonly permissions: readonly string[] | null
  readonly disabled: boolean
  /** JSON. */
  readonly metadata: string
  readonly limits: Limits
}

export function readSubjectRow(row: Selectable<SubjectTable>): StoredSubject {
  return {
    roles: row.roles === null ? null : JSON.parse(row.roles),
    permissions: row.permissions === null ? null : JSON.parse(row.permissions),
    disabled: row.disabled !== 0,
    metadata: row.metadata,
    limits: parseLimits(row.limits),
  }
}

export function viewSubject(row: Selectable<SubjectTable>): SubjectView {
  const { rates, quota } = parseLimits(row.limits)
  return {
    subject: row.subject,
    roles: row.roles === null ? null : JSON.parse(row.roles),
    permissions: row.permissions === null ? null : JSON.parse(row.permissions),
    disabled: row.disabled !== 0,
    metadata: JSON.parse(row.metadata),
    limits: [...rates],
    quota,
    createdAt: formatTime(row.created_at_ms),
    changedAt: formatTime(row.changed_at_ms),
  }
}

/** The record as verifiers are told it. */
export function recordOf(stored: StoredSubject): SubjectRecord {
  return {
    ...(stored.roles === null ? {} : { roles: stored.roles }),
    ...(stored.permissions === null ? {} : { permissions: stored.permissions }),
    disabled: stored.disabled,
    metadata: JSON.parse(stored.metadata),
    ...(formatLimits(stored.limits) === null ? {} : { limits: stored.limits }),
  }
}

/** All that the record lists, by the live roles; null: it has no list, and so neither bounds nor gives. */
export async function listedPermissions(
  place: RightsPlace,
  record: StoredSubject | null,
): Promise<readonly string[] | null> {
  if (record === null || (record.roles === null && record.permissions === null)) return null
  const roles = await loadRolePermissions(place, record.roles ?? [])
  return [...[...roles.values()].flat(), ...(record.permissions ?? [])]
}
