import { CodedError } from '../coded-error.ts'
import { authorizeRead } from '../management/authorize.ts'
import type { RightsPlace } from '../roles/role-permissions.ts'
import type { Scope } from '../scope.ts'
import { type AudienceRow, type AudienceView, viewAudience } from './audience-view.ts'

/** Throws `not_found` for an audience without a record; tokens may be minted for it all the same. */
export async function readAudience(scope: Scope, audience: string): Promise<AudienceView> {
  await authorizeRead(scope, 'projects:read')
  const row = await findAudience({ db: scope.reader, projectId: scope.projectId }, audience)
  if (row === undefined) throw noAudience()
  return viewAudience(row)
}

export async function findAudience(
  { db, projectId }: RightsPlace,
  audience: string,
): Promise<AudienceRow | undefined> {
  return db
    .selectFrom('audiences')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('audience', '=', audience)
    .executeTakeFirst()
}

export function noAudience(): CodedError {
  return new CodedError('not_found', 'The audience has no record in this project.')
}
