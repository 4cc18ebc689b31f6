import { CodedError } from '../src/coded-error.ts'
import type { CommandContext } from '../src/commands/command.ts'
import type { CommandMap } from '../src/commands/registry.ts'

/** Commands that show what the machinery does with one. The writer thread loads them by this module's URL. */
export const commands = {
  'add-project': addProject,
  'add-role': addRole,
  'add-role-then-fail': addRoleThenFail,
  'add-role-in-two-projects': addRoleInTwoProjects,
  'add-role-side-by-side': addRoleSideBySide,
  'add-role-after-a-swallowed-error': addRoleAfterASwallowedError,
  'tell-without-an-entry': tellWithoutAnEntry,
  'tell-nothing': tellNothing,
  'break-a-constraint': breakAConstraint,
  'exit-the-thread': exitTheThread,
} as const satisfies CommandMap

interface NewRole {
  readonly projectId: string
  readonly name: string
  /** Characters stored beside the name, to fill a disk with. */
  readonly ballast?: number
}

async function addProject({ db, nowMs }: CommandContext, { id }: { id: string }): Promise<void> {
  await db
    .insertInto('projects')
    .values({
      id,
      name: id,
      key_prefix: 'ck',
      algorithm: 'RS256',
      epoch: '1-abcdefgh',
      head: 0,
      created_at_ms: nowMs,
    })
    .execute()
}

async function addRole(
  context: CommandContext,
  { projectId, name, ballast = 0 }: NewRole,
): Promise<{ number: number; nowMs: number }> {
  const { number } = await context.position(projectId)
  await insertRole(context, { projectId, name, ballast })
  await context.emit(projectId, { type: 'role', name, permissions: [] })
  await context.audit({ projectId, action: 'role.put', target: name })
  return { number, nowMs: context.nowMs }
}

async function addRoleThenFail(context: CommandContext, role: NewRole): Promise<never> {
  await addRole(context, role)
  throw new CodedError('already_exists', 'It failed on purpose.')
}

async function addRoleInTwoProjects(
  context: CommandContext,
  { projectIds, name }: { projectIds: readonly string[]; name: string },
): Promise<void> {
  for (const projectId of projectIds) await addRole(context, { projectId, name })
}

async function addRoleSideBySide(context: CommandContext, role: NewRole): Promise<void> {
  const fact = { type: 'role', name: role.name, permissions: [] } as const
  const entry = { projectId: role.projectId, action: 'role.put', target: role.name }
  await Promise.all([
    context.emit(role.projectId, fact),
    context.emit(role.projectId, fact),
    context.audit(entry),
    context.audit(entry),
  ])
}

/** What a careless command does: it tells a fact that nobody can account for. */
async function tellWithoutAnEntry(context: CommandContext, { projectId, name }: NewRole): Promise<void> {
  await insertRole(context, { projectId, name, ballast: 0 })
  await context.emit(projectId, { type: 'role', name, permissions: [] })
}

/** What a careless command does: it goes on after a full disk ended its transaction. */
async function addRoleAfterASwallowedError(context: CommandContext, role: NewRole): Promise<void> {
  await insertRole(context, { ...role, name: `${role.name}-large`, ballast: role.ballast ?? 0 }).catch(
    () => {},
  )
  await insertRole(context, { ...role, ballast: 0 }).catch(() => {})
}

async function tellNothing({
  nowMs,
  commandId,
}: CommandContext): Promise<{ nowMs: number; commandId: string }> {
  return { nowMs, commandId }
}

async function breakAConstraint(
  context: CommandContext,
  { projectId }: { projectId: string },
): Promise<void> {
  await addProject(context, { id: projectId })
}

async function exitTheThread(): Promise<void> {
  process.exit(1)
}

async function insertRole(context: CommandContext, role: Required<NewRole>): Promise<void> {
  await context.db
    .insertInto('roles')
    .values({
      project_id: role.projectId,
      name: role.name,
      permissions: 'x'.repeat(role.ballast),
      created_at_ms: context.nowMs,
      changed_at_ms: context.nowMs,
      deleted_at_ms: null,
    })
    .execute()
}
