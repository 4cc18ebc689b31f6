import type { Command } from '../commands/command.ts'
import type { Scope } from '../scope.ts'
import { type AudiencePlace, authorizeDefaults } from './put-audience.ts'
import { findAudience, noAudience } from './read-audience.ts'

/** Deletes an audience's defaults. Tokens that have them keep them until they expire. Throws `not_found`. */
export async function deleteAudience(scope: Scope, audience: string): Promise<void> {
  await scope.writer.run('delete-audience', { projectId: scope.projectId, audience }, scope.actor)
}

export const deleteAudienceCommand: Command<AudiencePlace, null> = async (context, args) => {
  const { projectId, audience } = args
  await authorizeDefaults(context, projectId)
  if ((await findAudience({ db: context.db, projectId }, audience)) === undefined) throw noAudience()
  await context.db
    .deleteFrom('audiences')
    .where('project_id', '=', projectId)
    .where('audience', '=', audience)
    .execute()
  await context.position(projectId)
  await context.audit({ projectId, action: 'audience.delete', target: audience })
  return null
}
