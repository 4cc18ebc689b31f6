import type { Selectable } from 'kysely'
import Type, { type Static } from 'typebox'
import type { RoleTable } from '../storage/schema.ts'
import { formatTime, Time } from '../time.ts'

export const RoleView = Type.Object({
  name: Type.String(),
  permissions: Type.Array(Type.String()),
  createdAt: Time,
  changedAt: Time,
})
export type RoleView = Static<typeof RoleView>

export function viewRole(row: Selectable<RoleTable>): RoleView {
  return {
    name: row.name,
    permissions: JSON.parse(row.permissions),
    createdAt: formatTime(row.created_at_ms),
    changedAt: formatTime(row.changed_at_ms),
  }
}
