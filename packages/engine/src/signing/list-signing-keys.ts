import type { Selectable } from 'kysely'
import Type, { type Static } from 'typebox'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import { makePage, type Page, PageInput, readPageRequest } from '../page.ts'
import type { Scope } from '../scope.ts'
import type { SigningKeyTable } from '../storage/schema.ts'
import { formatTime, formatTimeOrNull, Time } from '../time.ts'

const TimeOrNull = Type.Union([Time, Type.Null()])

export const SigningKeyView = Type.Object({
  id: Type.String({ description: 'The `kid` of the tokens that it signs: its thumbprint (RFC 7638).' }),
  algorithm: Type.String(),
  status: Type.Enum(['next', 'active', 'retiring', 'retired'], {
    description: 'There is one active key an algorithm: the one that signs.',
  }),
  publicJwk: Type.Record(Type.String(), Type.Unknown()),
  createdAt: Time,
  activatedAt: TimeOrNull,
  retiredAt: TimeOrNull,
})
export type SigningKeyView = Static<typeof SigningKeyView>

export const ListSigningKeysInput = Type.Object({ ...PageInput }, { additionalProperties: false })

/** The project's signing keys, retired ones too, without their private parts. */
export async function listSigningKeys(scope: Scope, input: unknown = {}): Promise<Page<SigningKeyView>> {
  await authorizeRead(scope, 'signing-keys:read')
  const request = readPageRequest(parseInput(ListSigningKeysInput, input))
  let query = scope.reader
    .selectFrom('signing_keys')
    .select(['id', 'algorithm', 'status', 'public_jwk', 'created_at_ms', 'activated_at_ms', 'retired_at_ms'])
    .where('project_id', '=', scope.projectId)
    .orderBy('id')
    .limit(request.rows)
  if (request.after !== undefined) query = query.where('id', '>', request.after)
  return makePage(await query.execute(), request, { keyOf: (row) => row.id, itemOf: viewSigningKey })
}

type PublicRow = Omit<Selectable<SigningKeyTable>, 'project_id' | 'private_sealed'>

function viewSigningKey(row: PublicRow): SigningKeyView {
  return {
    id: row.id,
    algorithm: row.algorithm,
    status: row.status,
    publicJwk: JSON.parse(row.public_jwk),
    createdAt: formatTime(row.created_at_ms),
    activatedAt: formatTimeOrNull(row.activated_at_ms),
    retiredAt: formatTimeOrNull(row.retired_at_ms),
  }
}
