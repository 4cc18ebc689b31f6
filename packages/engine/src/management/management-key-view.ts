import type { Kysely } from 'kysely'
import Type, { type Static } from 'typebox'
import type { KeyRow } from '../keys/key.ts'
import { KeyViewBase, loadKeyDetails, viewKeyBase } from '../keys/key-view.ts'
import type { Schema } from '../storage/schema.ts'
import { Time } from '../time.ts'
import { powerOf } from './power.ts'

export const ManagementKeyView = Type.Object({
  ...KeyViewBase.properties,
  project: Type.Union([Type.String(), Type.Null()], {
    description: 'The name of the project that the key is bound to; null: a root key.',
  }),
  verbs: Type.Array(Type.String(), { description: 'What the key may do.' }),
  grants: Type.Array(Type.String(), {
    description: 'Patterns of the permissions that the key may hand out.',
  }),
})
export type ManagementKeyView = Static<typeof ManagementKeyView>

/** The one answer that holds a management key's text. */
export const CreatedManagementKey = Type.Object({
  ...ManagementKeyView.properties,
  credential: Type.String({ description: "The key's text. It is shown this once." }),
})
export type CreatedManagementKey = Static<typeof CreatedManagementKey>

export const RotatedManagementKey = Type.Object({
  ...CreatedManagementKey.properties,
  previousExpiresAt: Time,
})
export type RotatedManagementKey = Static<typeof RotatedManagementKey>

export async function loadManagementKeyView(
  db: Kysely<Schema>,
  row: KeyRow,
  nowMs: number,
): Promise<ManagementKeyView> {
  const viewOf = await loadManagementKeyViews(db, [row], nowMs)
  return viewOf(row)
}

/** Reads what many views need at once; the answer makes one. */
export async function loadManagementKeyViews(
  db: Kysely<Schema>,
  rows: readonly KeyRow[],
  nowMs: number,
): Promise<(row: KeyRow) => ManagementKeyView> {
  const details = await loadKeyDetails(db, rows)
  const projects = await db.selectFrom('projects').select(['id', 'name']).execute()
  const names = new Map(projects.map(({ id, name }) => [id, name]))
  return (row) => ({
    ...viewKeyBase(row, details(row.id), nowMs),
    project: row.managed_project_id === null ? null : (names.get(row.managed_project_id) ?? null),
    verbs: [...powerOf(row).verbs],
    grants: [...powerOf(row).grants],
  })
}
