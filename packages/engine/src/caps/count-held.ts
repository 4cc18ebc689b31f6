import type { Kysely } from 'kysely'
import { MANAGEMENT_PROJECT } from '../scope.ts'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'
import type { Schema } from '../storage/schema.ts'
import type { Cap } from './caps.ts'

/** Where room is asked for. */
export interface CapPlace {
  readonly projectId: string
  /** The management key that asks; null: no management key does. */
  readonly callerId: string | null
  /** Of `sessionsPerSubject`. */
  readonly subject?: string
}

/** How many there are. All of them are short lists by an index, but for what tallies count. */
export const COUNTS: Readonly<
  Record<Cap, (db: Kysely<Schema>, place: CapPlace, nowMs: number) => Promise<number>>
> = {
  keys: (db, { projectId }) => readTally(db, projectId, 'keys'),
  keysPerCaller: (db, { callerId }) =>
    callerId === null ? Promise.resolve(0) : readTally(db, callerId, 'keys'),
  subjects: (db, { projectId }) => readTally(db, projectId, 'subjects'),
  roles: (db, { projectId }) =>
    countOf(
      db
        .selectFrom('roles')
        .select(({ fn }) => fn.countAll<number>().as('held'))
        .where('project_id', '=', projectId)
        .where('deleted_at_ms', 'is', null),
    ),
  audiences: (db, { projectId }) =>
    countOf(
      db
        .selectFrom('audiences')
        .select(({ fn }) => fn.countAll<number>().as('held'))
        .where('project_id', '=', projectId),
    ),
  sessionsPerSubject: (db, { projectId, subject = '' }, nowMs) =>
    countOf(
      db
        .selectFrom('sessions')
        .select(({ fn }) => fn.countAll<number>().as('held'))
        .where('project_id', '=', projectId)
        .where('subject', '=', subject)
        .where('ended_at_ms', 'is', null)
        .where('refresh_until_ms', '>', nowMs),
    ),
  signingKeys: (db, { projectId }) =>
    countOf(
      db
        .selectFrom('signing_keys')
        .select(({ fn }) => fn.countAll<number>().as('held'))
        .where('project_id', '=', projectId)
        .where('status', '!=', 'retired'),
    ),
  managementKeys: (db, { projectId }) =>
    countOf(
      db
        .selectFrom('keys')
        .select(({ fn }) => fn.countAll<number>().as('held'))
        .where('managed_project_id', '=', projectId)
        .where('project_id', '=', MANAGEMENT_PROJECT)
        .where('deleted_at_ms', 'is', null),
    ),
  projects: (db) => countOf(db.selectFrom('projects').select(({ fn }) => fn.countAll<number>().as('held'))),
}

/** Every creation asks for two. */
const tallyQuery = new PreparedQuery(
  (db, parameter: Parameter<{ owner: string; kind: 'keys' | 'subjects' }>) =>
    db
      .selectFrom('tallies')
      .select('held')
      .where('owner', '=', parameter('owner'))
      .where('kind', '=', parameter('kind')),
)

async function readTally(db: Kysely<Schema>, owner: string, kind: 'keys' | 'subjects'): Promise<number> {
  const [row] = await tallyQuery.execute(db, { owner, kind })
  return row?.held ?? 0
}

async function countOf(query: {
  executeTakeFirstOrThrow(): Promise<{ readonly held: number }>
}): Promise<number> {
  return (await query.executeTakeFirstOrThrow()).held
}
