import { requireRoom } from '../caps/require-room.ts'
import type { CommandContext } from '../commands/command.ts'
import { formatLimits } from '../limits/limits-column.ts'
import type { Rights } from '../management/authorize.ts'
import type { SubjectRow } from './read-subject.ts'
import { requireSubjectGrants } from './require-subject-grants.ts'
import { OWN_ISSUERS, recordOf, type StoredSubject, type SubjectView, viewSubject } from './subject-record.ts'

/** The subject that a command acts on. */
export interface SubjectPlace {
  readonly projectId: string
  readonly subject: string
}

/** Writes a record in place of the one before, if the caller's grants allow it, and tells it. */
export async function storeSubject(
  context: CommandContext,
  rights: Rights,
  { projectId, subject }: SubjectPlace,
  change: {
    readonly existing: SubjectRow | undefined
    readonly before: StoredSubject | null
    readonly after: StoredSubject
    readonly action: string
  },
): Promise<SubjectView> {
  const { existing, before, after } = change
  await requireSubjectGrants(rights, { db: context.db, projectId }, { before, after })
  const row = {
    project_id: projectId,
    issuer: OWN_ISSUERS,
    subject,
    roles: after.roles === null ? null : JSON.stringify(after.roles),
    permissions: after.permissions === null ? null : JSON.stringify(after.permissions),
    disabled: after.disabled ? 1 : 0,
    metadata: after.metadata,
    limits: formatLimits(after.limits),
    created_at_ms: existing?.created_at_ms ?? context.nowMs,
    changed_at_ms: context.nowMs,
  }
  if (existing === undefined) {
    await requireRoom(context, 'subjects', { projectId })
    await context.db.insertInto('subjects').values(row).execute()
  } else {
    await context.db
      .updateTable('subjects')
      .set(row)
      .where('project_id', '=', projectId)
      .where('issuer', '=', OWN_ISSUERS)
      .where('subject', '=', subject)
      .execute()
  }
  await context.emit(projectId, { type: 'subject', issuer: null, subject, record: recordOf(after) })
  await context.audit({
    projectId,
    action: change.action,
    target: subject,
    detail: { before: before === null ? null : describe(before), after: describe(after) },
  })
  return viewSubject(row)
}

/** Metadata may hold what an audit must not keep. */
function describe({ metadata: _, ...record }: StoredSubject): Readonly<Record<string, unknown>> {
  return record
}
