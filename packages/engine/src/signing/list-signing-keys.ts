import { ALGORITHMS, type SigningAlgorithm } from '@claviger/verify'
import Type from 'typebox'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import { makePage, type Page, PageInput, readPageRequest } from '../page.ts'
import type { Scope } from '../scope.ts'
import { PUBLIC_COLUMNS } from './ring.ts'
import { SigningKeyView, viewSigningKeys } from './signing-key-view.ts'

export const ListSigningKeysInput = Type.Object(
  {
    ...PageInput,
    algorithm: Type.Optional(Type.Enum(Object.keys(ALGORITHMS) as SigningAlgorithm[])),
    status: Type.Optional(SigningKeyView.properties.status),
  },
  { additionalProperties: false },
)

/** The project's signing keys, retired ones too, without their private parts. */
export async function listSigningKeys(scope: Scope, input: unknown = {}): Promise<Page<SigningKeyView>> {
  await authorizeRead(scope, 'signing-keys:read')
  const { reader, projectId } = scope
  const filters = parseInput(ListSigningKeysInput, input)
  const request = readPageRequest(filters, { list: 'signing-keys', projectId: scope.projectId })
  let query = reader
    .selectFrom('signing_keys')
    .select(PUBLIC_COLUMNS)
    .where('project_id', '=', projectId)
    .orderBy('id')
    .limit(request.rows)
  if (request.after !== undefined) query = query.where('id', '>', request.after)
  if (filters.algorithm !== undefined) query = query.where('algorithm', '=', filters.algorithm)
  if (filters.status !== undefined) query = query.where('status', '=', filters.status)
  const views = await viewSigningKeys(reader, { projectId, rows: await query.execute() })
  return makePage(views, request, { keyOf: ({ id }) => id, itemOf: (view) => view })
}
