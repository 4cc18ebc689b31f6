import { MAX_TOKEN_LIFE_SECONDS, type SigningAlgorithm } from '@claviger/verify'
import type { Kysely, Selectable } from 'kysely'
import type { Schema, SigningKeyTable } from '../storage/schema.ts'
import { PUBLISH_AHEAD_SECONDS } from './publication.ts'

/** Which of a project's keyrings: there is one an algorithm. */
export interface Ring {
  readonly projectId: string
  readonly algorithm: SigningAlgorithm
}

/** A signing key without its private part. */
export type PublicKeyRow = Omit<Selectable<SigningKeyTable>, 'private_sealed'>

export const PUBLIC_COLUMNS = [
  'id',
  'project_id',
  'algorithm',
  'status',
  'public_jwk',
  'created_at_ms',
  'activate_at_ms',
  'activated_at_ms',
  'superseded_at_ms',
  'tokens_until_ms',
  'retired_at_ms',
] as const satisfies readonly (keyof PublicKeyRow)[]

/** The keys of a ring that are not retired. There is one active key at most, and one next. */
export interface RingKeys {
  readonly active: PublicKeyRow | undefined
  readonly next: PublicKeyRow | undefined
  readonly retiring: readonly PublicKeyRow[]
}

/** What a ring owes at one time. */
export interface RingPlan {
  /** Keys whose last token has expired. */
  readonly retire: readonly PublicKeyRow[]
  /** The next key, if its time to sign has come. */
  readonly activate: PublicKeyRow | undefined
  /** Whether a next key is to be made and published. */
  readonly prepare: boolean
}

/**
 * How long a key is kept that signs no more: the longest life of a token, and five minutes, since a mint that read the
 * key just before may have read the clock just after.
 */
const RETIRE_AFTER_MS = (MAX_TOKEN_LIFE_SECONDS + 300) * 1000

export async function loadRing(db: Kysely<Schema>, { projectId, algorithm }: Ring): Promise<RingKeys> {
  const rows = await db
    .selectFrom('signing_keys')
    .select(PUBLIC_COLUMNS)
    .where('project_id', '=', projectId)
    .where('algorithm', '=', algorithm)
    .where('status', '!=', 'retired')
    .execute()
  return ringOf(rows)
}

export function ringOf(rows: readonly PublicKeyRow[]): RingKeys {
  return {
    active: rows.find(({ status }) => status === 'active'),
    next: rows.find(({ status }) => status === 'next'),
    retiring: rows.filter(({ status }) => status === 'retiring'),
  }
}

/** What the ring owes now. `periodSeconds` null: nothing is rotated by schedule. */
export function planRing(
  ring: RingKeys,
  { periodSeconds, nowMs }: { readonly periodSeconds: number | null; readonly nowMs: number },
): RingPlan {
  const activationMs = activationOf(ring, periodSeconds)
  const scheduledMs = scheduledRotation(ring, periodSeconds)
  return {
    retire: ring.retiring.filter((row) => nowMs >= (retirementOf(row) ?? Number.POSITIVE_INFINITY)),
    activate: activationMs !== null && nowMs >= activationMs ? ring.next : undefined,
    prepare:
      ring.active !== undefined &&
      ring.next === undefined &&
      nowMs >= scheduledMs - PUBLISH_AHEAD_SECONDS * 1000,
  }
}

/**
 * When the next key begins to sign: as a person or the schedule wants it, whichever comes first, but never before it was
 * published for long enough. Null: there is none, or nobody wants it to.
 */
export function activationOf(ring: RingKeys, periodSeconds: number | null): number | null {
  const { next } = ring
  if (next === undefined) return null
  const wantedMs = Math.min(
    next.activate_at_ms ?? Number.POSITIVE_INFINITY,
    scheduledRotation(ring, periodSeconds),
  )
  if (wantedMs === Number.POSITIVE_INFINITY) return null
  return Math.max(wantedMs, next.created_at_ms + PUBLISH_AHEAD_SECONDS * 1000)
}

/** When a key leaves the JWKS and the verifiers. Null: it signs still, or will. */
export function retirementOf(row: PublicKeyRow): number | null {
  if (row.retired_at_ms !== null) return row.retired_at_ms
  if (row.superseded_at_ms === null) return null
  return Math.max(row.superseded_at_ms + RETIRE_AFTER_MS, row.tokens_until_ms ?? 0)
}

/** A ring in which no key signs waits for nothing but its first one's publication. */
function scheduledRotation({ active }: RingKeys, periodSeconds: number | null): number {
  if (active === undefined) return 0
  if (periodSeconds === null) return Number.POSITIVE_INFINITY
  return (active.activated_at_ms ?? active.created_at_ms) + periodSeconds * 1000
}
