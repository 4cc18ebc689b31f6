import type { Selectable } from 'kysely'
import { CodedError } from '../coded-error.ts'
import { authorizeRead } from '../management/authorize.ts'
import type { RightsPlace } from '../roles/role-permissions.ts'
import type { Scope } from '../scope.ts'
import type { SubjectTable } from '../storage/schema.ts'
import { OWN_ISSUERS, type SubjectView, viewSubject } from './subject-record.ts'

export type SubjectRow = Selectable<SubjectTable>

/** Throws `not_found` when the subject has no record; it may have credentials all the same. */
export async function readSubject(scope: Scope, subject: string): Promise<SubjectView> {
  await authorizeRead(scope, 'subjects:read')
  const row = await findSubject({ db: scope.reader, projectId: scope.projectId }, subject)
  if (row === undefined) throw noRecord()
  return viewSubject(row)
}

export async function findSubject(
  { db, projectId }: RightsPlace,
  subject: string,
): Promise<SubjectRow | undefined> {
  return db
    .selectFrom('subjects')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('issuer', '=', OWN_ISSUERS)
    .where('subject', '=', subject)
    .executeTakeFirst()
}

export function noRecord(): CodedError {
  return new CodedError('not_found', 'The subject has no record in this project.')
}
