import type { Position, SigningAlgorithm } from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import type { Scope } from '../scope.ts'
import { issuerOf } from '../signing/public-url.ts'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'

/** Who issues a project's tokens, and the active key of one of its rings. */
export interface Issuer {
  readonly url: string
  /** Null: the ring has not begun. */
  readonly signingKeyId: string | null
  /** The head that this was read at: a verifier that has applied it knows the key. */
  readonly position: Position
}

const issuerQuery = new PreparedQuery((db, parameter: Parameter<{ projectId: string; algorithm: string }>) =>
  db
    .selectFrom('projects')
    .leftJoin('public_urls', (join) => join.on('public_urls.until_ms', 'is', null))
    .leftJoin('signing_keys', (join) =>
      join
        .onRef('signing_keys.project_id', '=', 'projects.id')
        .on('signing_keys.algorithm', '=', parameter('algorithm'))
        .on('signing_keys.status', '=', 'active'),
    )
    .select(['projects.epoch', 'projects.head', 'public_urls.url', 'signing_keys.id as signing_key_id'])
    .where('projects.id', '=', parameter('projectId')),
)

/** Throws `unavailable` before the public URL was set. */
export async function readIssuer(
  { reader, projectId, project }: Pick<Scope, 'reader' | 'projectId' | 'project'>,
  algorithm: SigningAlgorithm,
): Promise<Issuer> {
  const [row] = await issuerQuery.execute(reader, { projectId, algorithm })
  if (row === undefined || row.url === null) {
    throw new CodedError('unavailable', 'Tokens need an issuer: tell Claviger its public URL first.')
  }
  return {
    url: issuerOf(row.url, project),
    signingKeyId: row.signing_key_id,
    position: { epoch: row.epoch, number: row.head },
  }
}
