import { ALGORITHMS, isSigningAlgorithm } from '@claviger/verify'
import type { Kysely } from 'kysely'
import Type, { type Static } from 'typebox'
import type { Schema } from '../storage/schema.ts'

/** A JWK Set (RFC 7517, section 5). */
export const Jwks = Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.String())) })
export type Jwks = Static<typeof Jwks>

/**
 * The public keys that tokens of the project can be checked with: those that sign, will sign, or have signed what has
 * not expired. Anybody may read them.
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
  return {
    keys: rows.map((row) => ({
      ...JSON.parse(row.public_jwk),
      kid: row.id,
      use: 'sig',
      alg: isSigningAlgorithm(row.algorithm) ? ALGORITHMS[row.algorithm].joseName : row.algorithm,
    })),
  }
}
