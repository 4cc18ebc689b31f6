import Type from 'typebox'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import { makePage, type Page, PageInput, readPageRequest } from '../page.ts'
import type { Scope } from '../scope.ts'
import { parseTime } from '../time.ts'
import { AuditEntryView, entryView } from './entry-view.ts'

const Name = Type.String({ maxLength: 255 })

export const ListAuditInput = Type.Object(
  {
    ...PageInput,
    actor: Type.Optional(Name),
    action: Type.Optional(Name),
    target: Type.Optional(Name),
    outcome: Type.Optional(AuditEntryView.properties.outcome),
    from: Type.Optional(
      Type.String({ format: 'date-time', maxLength: 64, description: 'At this time or later.' }),
    ),
    to: Type.Optional(Type.String({ format: 'date-time', maxLength: 64, description: 'Before this time.' })),
  },
  { additionalProperties: false },
)

/** The project's audit entries, the newest first. */
export async function listAuditEntries(scope: Scope, input: unknown = {}): Promise<Page<AuditEntryView>> {
  await authorizeRead(scope, 'audit:read')
  const filters = parseInput(ListAuditInput, input)
  const request = readPageRequest(filters, { list: 'audit', projectId: scope.projectId })
  let query = scope.reader
    .selectFrom('audit')
    .selectAll()
    .where('project_id', '=', scope.projectId)
    .orderBy('sequence', 'desc')
    .limit(request.rows)
  if (request.after !== undefined) query = query.where('sequence', '<', Number(request.after))
  for (const name of ['actor', 'action', 'target', 'outcome'] as const) {
    const value = filters[name]
    if (value !== undefined) query = query.where(name, '=', value)
  }
  if (filters.from !== undefined) query = query.where('at_ms', '>=', parseTime(filters.from, 'from'))
  if (filters.to !== undefined) query = query.where('at_ms', '<', parseTime(filters.to, 'to'))
  return makePage(await query.execute(), request, {
    keyOf: (row) => String(row.sequence),
    itemOf: entryView,
  })
}
