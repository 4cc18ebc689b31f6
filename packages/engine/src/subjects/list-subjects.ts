import Type from 'typebox'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import { makePage, type Page, PageInput, readPageRequest } from '../page.ts'
import type { Scope } from '../scope.ts'
import { OWN_ISSUERS, type SubjectView, viewSubject } from './subject-record.ts'

export const ListSubjectsInput = Type.Object(
  { ...PageInput, disabled: Type.Optional(Type.Boolean()) },
  { additionalProperties: false },
)

/** The records of the project's own subjects, by subject. */
export async function listSubjects(scope: Scope, input: unknown = {}): Promise<Page<SubjectView>> {
  await authorizeRead(scope, 'subjects:read')
  const filters = parseInput(ListSubjectsInput, input)
  const request = readPageRequest(filters, { list: 'subjects', projectId: scope.projectId })
  let query = scope.reader
    .selectFrom('subjects')
    .selectAll()
    .where('project_id', '=', scope.projectId)
    .where('issuer', '=', OWN_ISSUERS)
    .orderBy('subject')
    .limit(request.rows)
  if (request.after !== undefined) query = query.where('subject', '>', request.after)
  if (filters.disabled !== undefined) query = query.where('disabled', '=', filters.disabled ? 1 : 0)
  return makePage(await query.execute(), request, { keyOf: (row) => row.subject, itemOf: viewSubject })
}
