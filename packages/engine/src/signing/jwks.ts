import { ALGORITHMS, type AlgorithmTraits, isSigningAlgorithm } from '@claviger/verify'
import type { Kysely } from 'kysely'
import Type, { type Static } from 'typebox'
import type { Schema } from '../storage/schema.ts'

/** A JWK Set (RFC 7517, section 5). */
export const Jwks = Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.String())) })
export type Jwks = Static<typeof Jwks>

/**
 * The public keys that tokens of the project can be checked with: those that sign, will sign, or have signed what has
 * not expired. Anybody may read them. A symmetric key has no public part, and no entry.
 *
 * An entry says its `alg`, unless tokens carry one of several names for it: a reader that compares the two would refuse
 * the tokens of the other name. Its type and curve say as much.
 */
export async function readJwks(db: Kysely<Schema>, projectId: string): Promise<Jwks> {
  const rows = await db
    .selectFrom('signing_keys')
    .select(['id', 'algorithm', 'public_jwk'])
    .where('project_id', '=', projectId)
    .where('status', '!=', 'retired')
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute()
  const keys = rows.flatMap((row) => {
    if (!isSigningAlgorithm(row.algorithm)) return []
    const { symmetric, joseName, acceptedNames }: AlgorithmTraits = ALGORITHMS[row.algorithm]
    if (symmetric) return []
    const alg = acceptedNames.length === 1 ? { alg: joseName } : {}
    return [{ ...JSON.parse(row.public_jwk), kid: row.id, use: 'sig', ...alg }]
  })
  return { keys }
}
