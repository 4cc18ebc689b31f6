import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import Type, { type Static } from 'typebox'
import { authorizeRead } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import type { AuditTable, Schema } from '../storage/schema.ts'
import { type AuditKeys, publicKeyOf } from './audit-keys.ts'
import { ChainVerification } from './chain-verification.ts'
import { CHAIN_START } from './entry-mac.ts'
import { readPruned } from './read-pruned.ts'
import type { SignedPoint } from './signed-point.ts'

const Sequence = Type.Union([Type.Integer(), Type.Null()])

export const AuditVerification = Type.Object({
  projectId: Type.String(),
  ok: Type.Boolean({ description: 'Whether every entry stands as it was written.' }),
  entries: Type.Integer({ description: 'How many were checked, up to the first fault.' }),
  lastSequence: Type.Integer({ description: 'Of the last entry that was checked; 0: there was none.' }),
  checkpoints: Type.Integer({ description: 'How many checkpoints agree with the chain.' }),
  checkpointedThrough: Type.Union(Sequence.anyOf, {
    description: 'Up to this entry nothing was cut off unnoticed. Null: no checkpoint was met.',
  }),
  prunedThrough: Type.Union(Sequence.anyOf, {
    description: 'The last entry that was removed by the node itself. Null: none was.',
  }),
  fault: Type.Union(
    [
      Type.Object({
        sequence: Type.Integer({ description: 'The first entry that is wrong or missing.' }),
        problem: Type.Enum([
          'altered',
          'missing',
          'unexpected',
          'truncated',
          'rewritten',
          'forged-signature',
        ]),
        detail: Type.String({ description: 'The same, for a person.' }),
      }),
      Type.Null(),
    ],
    { description: 'Null: none.' },
  ),
})
export type AuditVerification = Static<typeof AuditVerification>

/** Between two pages whatever else the thread has to do goes first: a page takes about 5 ms. */
const PAGE_ENTRIES = 500

/** Checks the project's whole chain, with all its checkpoints. About 100,000 entries a second. */
export async function verifyAudit(scope: Scope): Promise<AuditVerification> {
  await authorizeRead(scope, 'audit:read')
  const { projectId, auditKeys } = scope
  return verifyChain(scope.reader, { projectId, keys: auditKeys, checkpoints: [] })
}

/** `checkpoints`: those that were kept elsewhere, beside the ones in the database. */
export async function verifyChain(
  db: Kysely<Schema>,
  asked: {
    readonly projectId: string
    readonly keys: AuditKeys
    readonly checkpoints: readonly SignedPoint[]
  },
): Promise<AuditVerification> {
  const { projectId, keys, checkpoints } = asked
  const pruned = await readPruned(db, projectId)
  const verification = new ChainVerification(
    projectId,
    { chain: keys.chain, signing: publicKeyOf(keys) },
    pruned ?? CHAIN_START,
  )
  const through = await lastCheckpointed(db, projectId)
  for (const point of checkpoints) verification.addCheckpoint(point)
  let after = Number.MIN_SAFE_INTEGER
  while (verification.fault === null) {
    const entries = await readEntries(db, { projectId, after })
    const last = entries.at(-1)?.sequence ?? through
    for (const point of await readCheckpoints(db, { projectId, after, last }))
      verification.addCheckpoint(point)
    if (entries.length === 0) break
    for (const entry of entries) verification.addEntry(entry)
    after = last
    await nextTurn()
  }
  verification.finish()
  if (verification.fault !== null && (await readPruned(db, projectId))?.sequence !== pruned?.sequence) {
    // What was missing was pruned while this went on.
    return verifyChain(db, asked)
  }
  return reportOf(projectId, verification, pruned)
}

export function reportOf(
  projectId: string,
  verification: ChainVerification,
  pruned: SignedPoint | undefined,
): AuditVerification {
  const { fault, entries, last, checkpoints, checkpointedThrough } = verification
  return {
    projectId,
    ok: fault === null,
    entries,
    lastSequence: last.sequence,
    checkpoints,
    checkpointedThrough,
    prunedThrough: pruned?.sequence ?? null,
    fault,
  }
}

/** The entries after a place, in order: what stands before the chain's beginning too, for none may. */
async function readEntries(
  db: Kysely<Schema>,
  { projectId, after }: { readonly projectId: string; readonly after: number },
): Promise<readonly AuditTable[]> {
  return await db
    .selectFrom('audit')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('sequence', '>', after)
    .orderBy('sequence')
    .limit(PAGE_ENTRIES)
    .execute()
}

async function readCheckpoints(
  db: Kysely<Schema>,
  { projectId, after, last }: { readonly projectId: string; readonly after: number; readonly last: number },
): Promise<readonly SignedPoint[]> {
  return await db
    .selectFrom('audit_points')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('kind', '=', 'checkpoint')
    .where('sequence', '>', after)
    .where('sequence', '<=', last)
    .orderBy('sequence')
    .execute()
}

/** The end of what is checked against stored checkpoints: one that is made meanwhile may be of an entry not read yet. */
async function lastCheckpointed(db: Kysely<Schema>, projectId: string): Promise<number> {
  const { last } = await db
    .selectFrom('audit_points')
    .select(({ fn }) => fn.max('sequence').as('last'))
    .where('project_id', '=', projectId)
    .where('kind', '=', 'checkpoint')
    .executeTakeFirstOrThrow()
  return last ?? 0
}
