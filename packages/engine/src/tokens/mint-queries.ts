import { isSigningAlgorithm, type Position, type SigningAlgorithm } from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import type { Scope } from '../scope.ts'
import type { Keyring } from '../signing/keyring.ts'
import { issuerOf } from '../signing/public-url.ts'
import { PreparedQuery } from '../storage/prepared-query.ts'

const headQuery = new PreparedQuery((db, parameter: (name: 'projectId') => string) =>
  db.selectFrom('projects').select(['epoch', 'head', 'algorithm']).where('id', '=', parameter('projectId')),
)

/** The project's head, which becomes the token's `pos`, and what the project signs with by default. */
export async function readMintHead({
  reader,
  projectId,
}: Scope): Promise<{ readonly position: Position; readonly algorithm: SigningAlgorithm }> {
  const [row] = await headQuery.execute(reader, { projectId })
  if (row === undefined) throw new CodedError('not_found', 'There is no such project.')
  if (!isSigningAlgorithm(row.algorithm)) {
    throw new CodedError('internal', `The project signs with ${row.algorithm}, which is not known here.`)
  }
  return { position: { epoch: row.epoch, number: row.head }, algorithm: row.algorithm }
}

const issuerQuery = new PreparedQuery((db, parameter: (name: 'projectId' | 'algorithm') => string) =>
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

/**
 * Who issues the project's tokens now, and the key that signs them; the first demand for an algorithm begins its ring.
 * `position` is the head that this was read at: a verifier that has applied it knows the key.
 */
export async function findIssuer(
  { reader, projectId, project, keyring }: Scope & { readonly keyring: Keyring },
  algorithm: SigningAlgorithm,
): Promise<{ readonly issuer: string; readonly signingKeyId: string; readonly position: Position }> {
  const [row] = await issuerQuery.execute(reader, { projectId, algorithm })
  if (row === undefined || row.url === null) {
    throw new CodedError('unavailable', 'Tokens need an issuer: tell Claviger its public URL first.')
  }
  const signingKeyId = row.signing_key_id ?? (await keyring.begin({ projectId, algorithm }))
  const position = { epoch: row.epoch, number: row.head }
  return { issuer: issuerOf(row.url, project), signingKeyId, position }
}
