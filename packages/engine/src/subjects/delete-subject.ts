import type { Command } from '../commands/command.ts'
import { authorize } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import { findSubject, noRecord } from './read-subject.ts'
import { requireSubjectGrants } from './require-subject-grants.ts'
import type { SubjectPlace } from './store-subject.ts'
import { OWN_ISSUERS, readSubjectRow } from './subject-record.ts'

/**
 * Deletes a subject's record: nothing bounds or disables the subject any more, so it needs the grant `*:*` unless the
 * record did neither (rule M3). The subject's credentials stay.
 */
export async function deleteSubject(scope: Scope, subject: string): Promise<void> {
  await scope.writer.run('delete-subject', { projectId: scope.projectId, subject }, scope.actor)
}

export const deleteSubjectCommand: Command<SubjectPlace, null> = async (context, { projectId, subject }) => {
  const rights = await authorize(context, projectId, 'subjects:write')
  const place = { db: context.db, projectId }
  const existing = await findSubject(place, subject)
  if (existing === undefined) throw noRecord()
  await requireSubjectGrants(rights, place, { before: readSubjectRow(existing), after: null })
  await context.db
    .deleteFrom('subjects')
    .where('project_id', '=', projectId)
    .where('issuer', '=', OWN_ISSUERS)
    .where('subject', '=', subject)
    .execute()
  await context.emit(projectId, { type: 'subject', issuer: null, subject, record: null })
  await context.audit({ projectId, action: 'subject.delete', target: subject })
  return null
}
