import type { CommandContext } from '../commands/command.ts'
import { MANAGEMENT_PROJECT } from '../scope.ts'
import type { KeyRow } from './key.ts'

/**
 * The projects whose tokens may name the key as their client (rule V5): its own; a management key's bound one; for
 * root every one.
 */
export async function projectsIssuedIn({ db }: CommandContext, key: KeyRow): Promise<readonly string[]> {
  if (key.project_id !== MANAGEMENT_PROJECT) return [key.project_id]
  if (key.managed_project_id !== null) return [key.managed_project_id]
  const projects = await db.selectFrom('projects').select('id').orderBy('id').execute()
  return projects.map(({ id }) => id)
}
