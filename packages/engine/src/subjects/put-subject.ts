import Type, { type Static } from 'typebox'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { LimitMembers, readLimits } from '../limits/limit-input.ts'
import { NO_LIMITS } from '../limits/limits-column.ts'
import { authorize } from '../management/authorize.ts'
import { formatMetadata, Metadata } from '../metadata.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import { distinct, PermissionList, RoleNameList } from '../roles/rights-input.ts'
import { requireRoles } from '../roles/role-permissions.ts'
import type { Scope } from '../scope.ts'
import { findSubject } from './read-subject.ts'
import { type SubjectPlace, storeSubject } from './store-subject.ts'
import { SubjectId } from './subject-input.ts'
import { readSubjectRow, type StoredSubject, type SubjectView } from './subject-record.ts'

/** A list that is absent does not bound. */
export const PutSubjectInput = Type.Object(
  {
    roles: Type.Optional(Type.Union([RoleNameList, Type.Null()])),
    permissions: Type.Optional(Type.Union([PermissionList, Type.Null()])),
    disabled: Type.Optional(
      Type.Boolean({ description: 'True: every credential of the subject is disabled.' }),
    ),
    metadata: Type.Optional(Metadata),
    ...LimitMembers,
  },
  { additionalProperties: false },
)
export type PutSubjectInput = Static<typeof PutSubjectInput>

interface PutSubjectArgs extends SubjectPlace {
  readonly record: StoredSubject
}

/** Creates or replaces the record that bounds and describes a subject (rule R6). Widening needs grants (rule M3). */
export async function putSubject(scope: Scope, subject: string, input: unknown): Promise<SubjectView> {
  requireCustomerProject(scope)
  const { roles, permissions, disabled, metadata, ...limits } = parseInput(PutSubjectInput, input)
  const args: PutSubjectArgs = {
    projectId: scope.projectId,
    subject: parseInput(SubjectId, subject),
    record: {
      roles: roles == null ? null : distinct(roles),
      permissions: permissions == null ? null : distinct(permissions),
      disabled: disabled ?? false,
      metadata: formatMetadata(metadata ?? {}),
      limits: { ...NO_LIMITS, ...readLimits(limits) },
    },
  }
  return scope.writer.run('put-subject', args, scope.actor)
}

export const putSubjectCommand: Command<PutSubjectArgs, SubjectView> = async (context, args) => {
  const rights = await authorize(context, args.projectId, 'subjects:write')
  const place = { db: context.db, projectId: args.projectId }
  await requireRoles(place, args.record.roles ?? [])
  const existing = await findSubject(place, args.subject)
  const before = existing === undefined ? null : readSubjectRow(existing)
  return storeSubject(context, rights, args, { existing, before, after: args.record, action: 'subject.put' })
}
