import Type, { type Static } from 'typebox'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import { makePage, type Page, PageInput, readPageRequest } from '../page.ts'
import type { Scope } from '../scope.ts'
import { formatTime, Time } from '../time.ts'

export const AuditEntryView = Type.Object({
  sequence: Type.Integer({ description: 'Rises with every entry of the installation.' }),
  at: Time,
  actor: Type.String({
    description:
      "A management key's id, `embedder` for the embedding program, `installation` for the node itself.",
  }),
  action: Type.String({ description: 'What was done: `key.create`, `role.put` …' }),
  target: Type.String({ description: 'The id or name of what it was done to.' }),
  detail: Type.Record(Type.String(), Type.Unknown()),
  commandId: Type.String({ description: 'Entries and changes of one command share it.' }),
})
export type AuditEntryView = Static<typeof AuditEntryView>

export const ListAuditInput = Type.Object(
  {
    ...PageInput,
    actor: Type.Optional(Type.String({ maxLength: 255 })),
    action: Type.Optional(Type.String({ maxLength: 255 })),
    target: Type.Optional(Type.String({ maxLength: 255 })),
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
  if (filters.actor !== undefined) query = query.where('actor', '=', filters.actor)
  if (filters.action !== undefined) query = query.where('action', '=', filters.action)
  if (filters.target !== undefined) query = query.where('target', '=', filters.target)
  return makePage(await query.execute(), request, {
    keyOf: (row) => String(row.sequence),
    itemOf: (row) => ({
      sequence: row.sequence,
      at: formatTime(row.at_ms),
      actor: row.actor,
      action: row.action,
      target: row.target,
      detail: JSON.parse(row.detail),
      commandId: row.command_id,
    }),
  })
}
