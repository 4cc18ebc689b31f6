import type { Selectable } from 'kysely'
import Type, { type Static } from 'typebox'
import type { AudienceTable } from '../storage/schema.ts'
import { formatTime, Time } from '../time.ts'

export const AudienceView = Type.Object({
  audience: Type.String(),
  ttlSeconds: Type.Union([Type.Integer(), Type.Null()], {
    description: 'How long tokens live; null: ten minutes.',
  }),
  algorithm: Type.Union([Type.String(), Type.Null()], {
    description: "What tokens are signed with; null: the project's own algorithm.",
  }),
  claims: Type.Record(Type.String(), Type.Unknown()),
  createdAt: Time,
  changedAt: Time,
})
export type AudienceView = Static<typeof AudienceView>

export type AudienceRow = Selectable<AudienceTable>

export function viewAudience(row: AudienceRow): AudienceView {
  return {
    audience: row.audience,
    ttlSeconds: row.ttl_seconds,
    algorithm: row.algorithm,
    claims: JSON.parse(row.claims),
    createdAt: formatTime(row.created_at_ms),
    changedAt: formatTime(row.changed_at_ms),
  }
}
