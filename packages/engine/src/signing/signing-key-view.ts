import { createPublicKey } from 'node:crypto'
import { ALGORITHMS, type AlgorithmTraits, isSigningAlgorithm } from '@claviger/verify'
import type { Kysely } from 'kysely'
import Type, { type Static } from 'typebox'
import type { Schema } from '../storage/schema.ts'
import { formatTime, formatTimeOrNull, Time } from '../time.ts'
import { readPeriod } from './read-period.ts'
import { activationOf, PUBLIC_COLUMNS, type PublicKeyRow, retirementOf, ringOf } from './ring.ts'

const TimeOrNull = Type.Union([Time, Type.Null()])

export const SigningKeyView = Type.Object({
  id: Type.String({
    description:
      'The `kid` of the tokens that it signs: its thumbprint (RFC 7638), or what it was imported with.',
  }),
  algorithm: Type.String(),
  status: Type.Enum(['next', 'active', 'retiring', 'retired'], {
    description: 'There is one active key an algorithm: the one that signs.',
  }),
  publicJwk: Type.Record(Type.String(), Type.Unknown()),
  publicPem: Type.Union([Type.String(), Type.Null()], {
    description: 'SubjectPublicKeyInfo (RFC 7468); null: the key has no public form.',
  }),
  createdAt: Type.String({ ...Time, description: 'When it was published, in the JWKS and in the feed.' }),
  activatesAt: Type.Union([Time, Type.Null()], {
    description: 'Of a next key: when it begins to sign. Null: nothing says when.',
  }),
  activatedAt: TimeOrNull,
  supersededAt: Type.Union([Time, Type.Null()], { description: 'When it ceased to sign.' }),
  retiresAt: Type.Union([Time, Type.Null()], {
    description: 'Of a retiring key: when its last token has expired, and it leaves the JWKS.',
  }),
  retiredAt: TimeOrNull,
})
export type SigningKeyView = Static<typeof SigningKeyView>

/** Shows keys of one project. When a next key will sign depends on its ring and on the schedule. */
export async function viewSigningKeys(
  db: Kysely<Schema>,
  { projectId, rows }: { readonly projectId: string; readonly rows: readonly PublicKeyRow[] },
): Promise<readonly SigningKeyView[]> {
  const periodSeconds = await readPeriod(db, projectId)
  const living = await db
    .selectFrom('signing_keys')
    .select(PUBLIC_COLUMNS)
    .where('project_id', '=', projectId)
    .where('status', 'in', ['next', 'active'])
    .execute()
  return rows.map((row) => {
    const ring = ringOf(living.filter(({ algorithm }) => algorithm === row.algorithm))
    return viewSigningKey(row, row.status === 'next' ? activationOf(ring, periodSeconds) : null)
  })
}

function viewSigningKey(row: PublicKeyRow, activatesAtMs: number | null): SigningKeyView {
  return {
    id: row.id,
    algorithm: row.algorithm,
    status: row.status,
    publicJwk: JSON.parse(row.public_jwk),
    publicPem: publicPemOf(row),
    createdAt: formatTime(row.created_at_ms),
    activatesAt: formatTimeOrNull(activatesAtMs),
    activatedAt: formatTimeOrNull(row.activated_at_ms),
    supersededAt: formatTimeOrNull(row.superseded_at_ms),
    retiresAt: formatTimeOrNull(row.status === 'retiring' ? retirementOf(row) : null),
    retiredAt: formatTimeOrNull(row.retired_at_ms),
  }
}

/**
 * A symmetric key has none. An RSA key is written as one whatever its padding: few libraries read the identifier that
 * binds it to PSS.
 */
function publicPemOf(row: PublicKeyRow): string | null {
  if (!isSigningAlgorithm(row.algorithm)) return null
  const traits: AlgorithmTraits = ALGORITHMS[row.algorithm]
  if (traits.symmetric) return null
  const jwk = JSON.parse(row.public_jwk)
  const key = traits.keyType === 'RSA' ? createPublicKey({ key: jwk, format: 'jwk' }) : traits.importKey(jwk)
  return key.export({ format: 'pem', type: 'spki' }).toString()
}
