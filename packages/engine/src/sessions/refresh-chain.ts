import { sha256 } from '@claviger/verify'
import type { Kysely, Selectable } from 'kysely'
import type { EngineParts } from '../scope.ts'
import type { RefreshTokenTable, Schema } from '../storage/schema.ts'

/** Of the refresh tokens of long ago the digest of each so-many-th is kept; the others are known by the next of these. */
export const KEPT_EVERY = 32
/** More than come in between, so that a session from before this was done is caught up with. */
const DROPPED_AT_ONCE = 128

/** A refresh token by its digests. */
export interface PresentedToken {
  readonly projectId: string
  readonly digest: string
  /** Of those that come after it, where it is not the current one of a session: nobody else can make them (rule S1). */
  readonly laterDigests: readonly string[]
}

type RefreshTokenRow = Selectable<RefreshTokenTable>

/** Works out on the caller's side what a refresh token is known by: no text goes to the writer thread. */
export async function presentToken(
  { reader, refreshTokens, projectId }: Pick<EngineParts, 'reader' | 'refreshTokens'> & { projectId: string },
  text: string,
): Promise<PresentedToken> {
  const digest = sha256(text)
  const presented = { projectId, digest, laterDigests: [] }
  const known = await findByDigests(reader, [digest])
  if (known?.replaced_at_ms === null) return presented
  const laterDigests: string[] = []
  for (let later = text; laterDigests.length < KEPT_EVERY; ) {
    later = refreshTokens.successor(projectId, later)
    laterDigests.push(sha256(later))
  }
  return { ...presented, laterDigests }
}

/** The row of a refresh token, or `isForgotten` and that of the next one in its chain. Undefined: it is of no session. */
export async function findPresented(
  db: Kysely<Schema>,
  { digest, laterDigests }: PresentedToken,
): Promise<(RefreshTokenRow & { readonly isForgotten: boolean }) | undefined> {
  const row = await findByDigests(db, [digest])
  if (row !== undefined) return { ...row, isForgotten: false }
  const later = laterDigests.length === 0 ? undefined : await findByDigests(db, laterDigests)
  return later === undefined ? undefined : { ...later, isForgotten: true }
}

/** Drops digests that a chain needs no more, once it has reached a generation that is kept for ever. */
export async function thinChain(
  db: Kysely<Schema>,
  { id, generation }: { readonly id: string; readonly generation: number },
): Promise<void> {
  if (generation % KEPT_EVERY !== 0) return
  const dropped = db
    .selectFrom('refresh_tokens')
    .select('digest')
    .where('session_id', '=', id)
    .where('generation', '<', generation - KEPT_EVERY)
    .where(({ eb }) => eb(eb('generation', '%', KEPT_EVERY), '!=', 0))
    .limit(DROPPED_AT_ONCE)
  await db.deleteFrom('refresh_tokens').where('digest', 'in', dropped).execute()
}

/** The first of them in the order of the chain. */
function findByDigests(db: Kysely<Schema>, digests: readonly string[]): Promise<RefreshTokenRow | undefined> {
  return db
    .selectFrom('refresh_tokens')
    .selectAll()
    .where('digest', 'in', digests)
    .orderBy('generation')
    .limit(1)
    .executeTakeFirst()
}
