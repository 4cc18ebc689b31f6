import type { Kysely } from 'kysely'
import type { KeyRow } from '../keys/key.ts'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'
import type { Schema } from '../storage/schema.ts'

/**
 * What a restore leaves behind that does not know all that was taken away since its backup: every key of a former epoch
 * is suspended (rule B1). It says from where on a journal has to be replayed that turns up later.
 */
export interface Suspension {
  readonly history: string
  readonly commit: number
  readonly journaled: number
  /** What was taken away from then on is not known; epoch milliseconds. */
  readonly sinceMs: number
  /** The database that was replaced, as far as it could be read: how far its journal must reach. */
  readonly replaced: {
    readonly history: string
    readonly continues: string
    readonly journaled: number
  } | null
}

export function readSuspension(text: string | null): Suspension | null {
  return text === null ? null : JSON.parse(text)
}

/** The project's epoch while keys are suspended; no row while none is. */
const suspendingEpoch = new PreparedQuery((db, parameter: Parameter<{ projectId: string }>) =>
  db
    .selectFrom('installation')
    .innerJoin('projects', (join) => join.on('projects.id', '=', parameter('projectId')))
    .where('installation.suspended', 'is not', null)
    .select('projects.epoch'),
)

export async function isSuspended(db: Kysely<Schema>, key: KeyRow): Promise<boolean> {
  return (await findSuspendedKeys(db, [key])).has(key.id)
}

/** Which of the keys, all of one project, are suspended. */
export async function findSuspendedKeys(
  db: Kysely<Schema>,
  keys: readonly KeyRow[],
): Promise<ReadonlySet<string>> {
  const [first] = keys
  if (first === undefined) return new Set()
  const [project] = await suspendingEpoch.execute(db, { projectId: first.project_id })
  if (project === undefined) return new Set()
  return new Set(keys.filter((key) => isOfFormerEpoch(key, project.epoch)).map(({ id }) => id))
}

/** Whether a key, by its row, was created before the present epoch. */
export function isOfFormerEpoch({ pos }: { readonly pos: string }, epoch: string): boolean {
  return !pos.startsWith(`${epoch}:`)
}
