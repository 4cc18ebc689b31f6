import { coversAll } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { requireRoom } from '../caps/require-room.ts'
import { CodedError } from '../coded-error.ts'
import type { Command, CommandContext } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { authorize, requireGrants } from '../management/authorize.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import type { Scope } from '../scope.ts'
import { distinct, PermissionList, RoleName } from './rights-input.ts'
import { type RoleView, viewRole } from './role-view.ts'

export const PutRoleInput = Type.Object({ permissions: PermissionList }, { additionalProperties: false })
export type PutRoleInput = Static<typeof PutRoleInput>

interface PutRoleArgs {
  readonly projectId: string
  readonly name: string
  readonly permissions: readonly string[]
}

/**
 * Creates a role or replaces its permissions; credentials that have it hold them from the next verification on
 * (rule R5). Giving permissions needs grants (rule M3); taking some away needs none. Throws `name_retired` for the
 * name of a deleted role.
 */
export async function putRole(scope: Scope, name: string, input: unknown): Promise<RoleView> {
  requireCustomerProject(scope)
  const { permissions } = parseInput(PutRoleInput, input)
  const args = {
    projectId: scope.projectId,
    name: parseInput(RoleName, name),
    permissions: distinct(permissions),
  }
  return scope.writer.run('put-role', args, scope.actor)
}

export const putRoleCommand: Command<PutRoleArgs, RoleView> = async (context, args) => {
  const rights = await authorize(context, args.projectId, 'roles:write')
  const existing = await findRole(context, args)
  if (existing !== undefined && existing.deleted_at_ms !== null) {
    throw new CodedError('name_retired', `A role \`${args.name}\` was deleted. Choose another name.`)
  }
  const before: readonly string[] = existing === undefined ? [] : JSON.parse(existing.permissions)
  if (!coversAll(before, args.permissions)) {
    requireGrants(rights, [...before, ...args.permissions], `the role \`${args.name}\``)
  }

  const permissions = JSON.stringify(args.permissions)
  if (existing === undefined) {
    await requireRoom(context, 'roles', args)
    await context.db
      .insertInto('roles')
      .values({
        project_id: args.projectId,
        name: args.name,
        permissions,
        created_at_ms: context.nowMs,
        changed_at_ms: context.nowMs,
        deleted_at_ms: null,
      })
      .execute()
  } else {
    await context.db
      .updateTable('roles')
      .set({ permissions, changed_at_ms: context.nowMs })
      .where('project_id', '=', args.projectId)
      .where('name', '=', args.name)
      .execute()
  }

  await context.emit(args.projectId, { type: 'role', name: args.name, permissions: args.permissions })
  await context.audit({
    projectId: args.projectId,
    action: 'role.put',
    target: args.name,
    detail: { before: existing === undefined ? null : before, permissions: args.permissions },
  })
  return viewRole({
    project_id: args.projectId,
    name: args.name,
    permissions,
    created_at_ms: existing?.created_at_ms ?? context.nowMs,
    changed_at_ms: context.nowMs,
    deleted_at_ms: null,
  })
}

async function findRole({ db }: CommandContext, { projectId, name }: PutRoleArgs) {
  return db
    .selectFrom('roles')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('name', '=', name)
    .executeTakeFirst()
}
