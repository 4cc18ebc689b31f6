import { formatPosition } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import { makePage, type Page, PageInput, readPageRequest } from '../page.ts'
import type { Scope } from '../scope.ts'
import { formatTime, formatTimeOrNull, Time } from '../time.ts'
import { type RuleRow, SECRET_KIND, SIGNING_KEY_KIND } from './rule-row.ts'

const TimeOrNull = Type.Union([Time, Type.Null()])

const Kind = Type.Enum(
  ['token', 'session', 'key', SECRET_KIND, SIGNING_KEY_KIND, 'subject', 'client', 'everything'],
  { description: `What the target is. \`${SECRET_KIND}\`: one superseded text of a key.` },
)

export const RevocationView = Type.Object({
  id: Type.String(),
  kind: Kind,
  target: Type.String({
    description: "The `jti`, the id, the `kid`, the subject, or a text's locator; empty for everything.",
  }),
  only: Type.Union([Type.Enum(['keys', 'tokens']), Type.Null()]),
  ban: Type.Boolean(),
  issuedBefore: TimeOrNull,
  reason: Type.Union([Type.String(), Type.Null()]),
  position: Type.String(),
  createdAt: Time,
  liftedAt: TimeOrNull,
})
export type RevocationView = Static<typeof RevocationView>

export const ListRevocationsInput = Type.Object(
  {
    ...PageInput,
    kind: Type.Optional(Kind),
    target: Type.Optional(Type.String({ maxLength: 255 })),
    ban: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)

/** The project's revocations, the newest first; lifted bans too. */
export async function listRevocations(scope: Scope, input: unknown = {}): Promise<Page<RevocationView>> {
  await authorizeRead(scope, 'revocations:read')
  const filters = parseInput(ListRevocationsInput, input)
  const request = readPageRequest(filters, { list: 'revocations', projectId: scope.projectId })
  let query = scope.reader
    .selectFrom('revocations')
    .selectAll()
    .where('project_id', '=', scope.projectId)
    .orderBy('id', 'desc')
    .limit(request.rows)
  if (request.after !== undefined) query = query.where('id', '<', request.after)
  if (filters.kind !== undefined) query = query.where('kind', '=', filters.kind)
  if (filters.target !== undefined) query = query.where('target', '=', filters.target)
  if (filters.ban !== undefined) query = query.where('ban', '=', filters.ban ? 1 : 0)
  return makePage(await query.execute(), request, { keyOf: (row) => row.id, itemOf: viewRevocation })
}

function viewRevocation(row: RuleRow): RevocationView {
  return {
    id: row.id,
    kind: row.kind as RevocationView['kind'],
    target: row.target,
    only: row.only as RevocationView['only'],
    ban: row.ban !== 0,
    issuedBefore: formatTimeOrNull(row.issued_before_ms),
    reason: row.reason,
    position: formatPosition({ epoch: row.epoch, number: row.number }),
    createdAt: formatTime(row.created_at_ms),
    liftedAt: formatTimeOrNull(row.lifted_at_ms),
  }
}
