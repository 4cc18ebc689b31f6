import type { Command } from '../commands/command.ts'
import { insertRootKey, makeRootKey, type NewRootKey } from '../management/root-key.ts'
import { DEFAULT_PROJECT, type EngineParts, MANAGEMENT_PROJECT } from '../scope.ts'
import type { Secret } from '../secret.ts'
import { insertSigningKey, makeSigningKey, type NewSigningKey } from '../signing/make-signing-key.ts'
import { DEFAULT_ALGORITHM, insertProject, type NewProject, newProject } from './insert-project.ts'

interface InstallArgs {
  /** The management keys' comes first: the others' root key stands in it. */
  readonly management: NewProject
  readonly first: NewProject
  readonly signingKey: NewSigningKey
  readonly root: NewRootKey
}

/**
 * Makes what every installation has: the project of the management keys with a root key, and the project `default`. It does
 * nothing when they are there. Answers the root key's text to the start that made it, and null to any other.
 */
export async function install(parts: EngineParts): Promise<Secret | null> {
  const installed = await parts.reader
    .selectFrom('projects')
    .select('id')
    .where('id', '=', MANAGEMENT_PROJECT)
    .executeTakeFirst()
  if (installed !== undefined) return null
  const { root, text } = makeRootKey(parts)
  const args: InstallArgs = {
    // The project of the management keys signs nothing, and so has no signing key: no token manages (rule M4).
    management: newProject({ id: MANAGEMENT_PROJECT, name: MANAGEMENT_PROJECT }, parts.random),
    first: newProject({ id: DEFAULT_PROJECT, name: DEFAULT_PROJECT }, parts.random),
    signingKey: await makeSigningKey(parts, DEFAULT_PROJECT, DEFAULT_ALGORITHM),
    root,
  }
  const { created } = await parts.writer.run('install', args, { kind: 'installation' })
  return created ? text : null
}

/** Several nodes may start at once: only the first one's arguments count. */
export const installCommand: Command<InstallArgs, { readonly created: boolean }> = async (context, args) => {
  const installed = await context.db.selectFrom('projects').select('id').executeTakeFirst()
  if (installed !== undefined) return { created: false }
  await insertProject(context, args.management)
  await insertRootKey(context, args.root)
  await insertProject(context, args.first)
  await insertSigningKey(context, args.signingKey)
  return { created: true }
}
