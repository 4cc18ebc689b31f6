import type { Selectable } from 'kysely'
import Type, { type Static } from 'typebox'
import type { ProjectTable } from '../storage/schema.ts'
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
  createdAt: Time,
})
export type ProjectView = Static<typeof ProjectView>

export function viewProject(row: ProjectRow): ProjectView {
  return {
    id: row.id,
    name: row.name,
    keyPrefix: row.key_prefix,
    algorithm: row.algorithm,
    createdAt: formatTime(row.created_at_ms),
  }
}
