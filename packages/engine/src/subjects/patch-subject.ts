import type { Limits } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { readLimits } from '../limits/limit-input.ts'
import { authorize } from '../management/authorize.ts'
import { formatMetadata } from '../metadata.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import { distinct } from '../roles/rights-input.ts'
import { requireRoles } from '../roles/role-permissions.ts'
import type { Scope } from '../scope.ts'
import { PutSubjectInput } from './put-subject.ts'
import { findSubject, noRecord } from './read-subject.ts'
import { type SubjectPlace, storeSubject } from './store-subject.ts'
import { readSubjectRow, type StoredSubject, type SubjectView } from './subject-record.ts'

/** Members that are absent stay as they are; a list that is null is dropped. */
export const PatchSubjectInput = Type.Object(PutSubjectInput.properties, {
  additionalProperties: false,
  minProperties: 1,
})
export type PatchSubjectInput = Static<typeof PatchSubjectInput>

interface PatchSubjectArgs extends SubjectPlace {
  readonly patch: Partial<Omit<StoredSubject, 'limits'>>
  readonly limits: Partial<Limits>
}

/** Changes a record that exists; `not_found` otherwise. Widening needs grants (rule M3). */
export async function patchSubject(scope: Scope, subject: string, input: unknown): Promise<SubjectView> {
  requireCustomerProject(scope)
  const { roles, permissions, disabled, metadata, ...limits } = parseInput(PatchSubjectInput, input)
  const patch = {
    ...(roles === undefined ? {} : { roles: roles && distinct(roles) }),
    ...(permissions === undefined ? {} : { permissions: permissions && distinct(permissions) }),
    ...(disabled === undefined ? {} : { disabled }),
    ...(metadata === undefined ? {} : { metadata: formatMetadata(metadata) }),
  }
  return scope.writer.run(
    'patch-subject',
    { projectId: scope.projectId, subject, patch, limits: readLimits(limits) },
    scope.actor,
  )
}

export const patchSubjectCommand: Command<PatchSubjectArgs, SubjectView> = async (context, args) => {
  const rights = await authorize(context, args.projectId, 'subjects:write')
  const place = { db: context.db, projectId: args.projectId }
  const existing = await findSubject(place, args.subject)
  if (existing === undefined) throw noRecord()
  await requireRoles(place, args.patch.roles ?? [])
  const before = readSubjectRow(existing)
  const after = { ...before, ...args.patch, limits: { ...before.limits, ...args.limits } }
  return storeSubject(context, rights, args, { existing, before, after, action: 'subject.patch' })
}
