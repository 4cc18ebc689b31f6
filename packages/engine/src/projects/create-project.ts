import { signingAlgorithmOf } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { requireRoom } from '../caps/require-room.ts'
import { CodedError } from '../coded-error.ts'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { checkKeyPrefix, KeyPrefix } from '../keys/key-input.ts'
import { currentRights, loadRights, type Rights, requireVerb } from '../management/authorize.ts'
import { newId } from '../random.ts'
import { MANAGEMENT_PROJECT } from '../scope.ts'
import { insertSigningKey, makeSigningKey, type NewSigningKey } from '../signing/make-signing-key.ts'
import { TokenAlgorithm } from '../signing/token-algorithm.ts'
import { DEFAULT_ALGORITHM, insertProject, type NewProject, newProject } from './insert-project.ts'
import { loadProjectViews, type ProjectView } from './project-view.ts'
import type { ProjectsScope } from './projects-scope.ts'

export const CreateProjectInput = Type.Object(
  {
    name: Type.String({
      maxLength: 40,
      pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
      description: "Lower-case letters, digits and single hyphens: it becomes part of its issuer's address.",
    }),
    keyPrefix: Type.Optional(KeyPrefix),
    algorithm: Type.Optional(
      Type.With(TokenAlgorithm, {
        description: `What its tokens are signed with; ${DEFAULT_ALGORITHM} if absent.`,
      }),
    ),
  },
  { additionalProperties: false },
)
export type CreateProjectInput = Static<typeof CreateProjectInput>

interface CreateProjectArgs {
  readonly project: NewProject
  readonly signingKey: NewSigningKey
}

/**
 * Creates a project with its first signing key. Only who sees every project may: a bound key would create what it cannot
 * reach (rule M2). Throws `already_exists`.
 */
export async function createProject(scope: ProjectsScope, input: unknown): Promise<ProjectView> {
  const { clock, random, actor } = scope
  // Making a key pair costs a tenth of a second: not for whoever may not have one.
  requireInstallation(await currentRights(scope))
  const { name, keyPrefix, algorithm } = parseInput(CreateProjectInput, input)
  if (keyPrefix !== undefined) checkKeyPrefix(keyPrefix)
  const id = newId('prj', clock.nowMs(), random)
  const project = newProject({ id, name, keyPrefix, algorithm }, random)
  const signingKey = await makeSigningKey(scope, id, signingAlgorithmOf(project.algorithm))
  return scope.writer.run('create-project', { project, signingKey }, actor)
}

export const createProjectCommand: Command<CreateProjectArgs, ProjectView> = async (
  context,
  { project, signingKey },
) => {
  requireInstallation(await loadRights(context))
  await requireRoom(context, 'projects', { projectId: MANAGEMENT_PROJECT })
  const row = await insertProject(context, project)
  await insertSigningKey(context, signingKey)
  const viewOf = await loadProjectViews(context.db, [row])
  return viewOf(row)
}

/** Only who sees every project may: for a bound key there is none but its own (rule M2). */
export function requireInstallation(rights: Rights): void {
  requireVerb(rights, 'projects:write')
  if (rights.boundTo === null) return
  throw new CodedError(
    'forbidden',
    'A management key that is bound to a project neither creates nor changes projects. Use a root key.',
  )
}
