import type { Kysely, Selectable } from 'kysely'
import Type, { type Static, type TInteger } from 'typebox'
import { CAP_NAMES, CAPS, type Cap } from '../caps/caps.ts'
import type { ProjectTable, Schema } from '../storage/schema.ts'
import { formatTime, Time } from '../time.ts'

export type ProjectRow = Selectable<ProjectTable>

export const ProjectView = Type.Object({
  id: Type.String(),
  name: Type.String({ description: "Also the last part of its issuer's address." }),
  keyPrefix: Type.String({
    description: 'What the keys of its customers begin with unless they choose otherwise.',
  }),
  algorithm: Type.String({
    description: 'What its tokens are signed with unless the caller asks for another algorithm.',
  }),
  caps: Type.Object(
    Object.fromEntries(
      CAP_NAMES.map((name) => [name, Type.Integer({ description: CAPS[name].description })]),
    ) as Record<Cap, TInteger>,
    { description: 'What it may hold at most.' },
  ),
  createdAt: Time,
})
export type ProjectView = Static<typeof ProjectView>

/** Reads this of many projects at once; the answer makes one's view. */
export async function loadProjectViews(
  db: Kysely<Schema>,
  rows: readonly ProjectRow[],
): Promise<(row: ProjectRow) => ProjectView> {
  const ids = rows.map(({ id }) => id)
  const set = await db.selectFrom('project_caps').selectAll().where('project_id', 'in', ids).execute()
  const most = new Map(set.map((row) => [`${row.project_id} ${row.cap}`, row.most]))
  return (row) => {
    const caps = CAP_NAMES.map((name) => [name, most.get(`${row.id} ${name}`) ?? CAPS[name].most])
    return {
      id: row.id,
      name: row.name,
      keyPrefix: row.key_prefix,
      algorithm: row.algorithm,
      caps: Object.fromEntries(caps) as Record<Cap, number>,
      createdAt: formatTime(row.created_at_ms),
    }
  }
}
