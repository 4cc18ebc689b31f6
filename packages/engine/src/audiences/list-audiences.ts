import Type from 'typebox'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import { makePage, type Page, PageInput, readPageRequest } from '../page.ts'
import type { Scope } from '../scope.ts'
import { type AudienceView, viewAudience } from './audience-view.ts'

export const ListAudiencesInput = Type.Object({ ...PageInput }, { additionalProperties: false })

/** The audiences that have defaults, by name. */
export async function listAudiences(scope: Scope, input: unknown = {}): Promise<Page<AudienceView>> {
  await authorizeRead(scope, 'projects:read')
  const request = readPageRequest(parseInput(ListAudiencesInput, input), {
    list: 'audiences',
    projectId: scope.projectId,
  })
  let query = scope.reader
    .selectFrom('audiences')
    .selectAll()
    .where('project_id', '=', scope.projectId)
    .orderBy('audience')
    .limit(request.rows)
  if (request.after !== undefined) query = query.where('audience', '>', request.after)
  return makePage(await query.execute(), request, { keyOf: (row) => row.audience, itemOf: viewAudience })
}
