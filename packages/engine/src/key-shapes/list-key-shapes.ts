import Type from 'typebox'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import { makePage, type Page, PageInput, readPageRequest } from '../page.ts'
import type { Scope } from '../scope.ts'
import { type KeyShapeView, viewKeyShape } from './key-shape-view.ts'

export const ListKeyShapesInput = Type.Object({ ...PageInput }, { additionalProperties: false })

/** The project's key shapes by name. */
export async function listKeyShapes(scope: Scope, input: unknown = {}): Promise<Page<KeyShapeView>> {
  await authorizeRead(scope, 'keys:read')
  const request = readPageRequest(parseInput(ListKeyShapesInput, input), {
    list: 'key-shapes',
    projectId: scope.projectId,
  })
  const rows = await scope.reader
    .selectFrom('key_shapes')
    .selectAll()
    .where('project_id', '=', scope.projectId)
    .$if(request.after !== undefined, (query) => query.where('name', '>', request.after ?? ''))
    .orderBy('name')
    .limit(request.rows)
    .execute()
  return makePage(rows, request, { keyOf: (row) => row.name, itemOf: viewKeyShape })
}
