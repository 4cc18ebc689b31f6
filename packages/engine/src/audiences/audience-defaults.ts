import { isSigningAlgorithm, type Position, type SigningAlgorithm } from '@claviger/verify'
import type { Kysely } from 'kysely'
import { PreparedQuery } from '../storage/prepared-query.ts'
import type { Schema } from '../storage/schema.ts'

/** What a token gets unless the call that mints it says otherwise. Null: nothing was set. */
export interface AudienceDefaults {
  readonly ttlSeconds: number | null
  readonly algorithm: SigningAlgorithm | null
  readonly claims: Readonly<Record<string, unknown>>
}

const NO_DEFAULTS: AudienceDefaults = Object.freeze({
  ttlSeconds: null,
  algorithm: null,
  claims: Object.freeze({}),
})

const query = new PreparedQuery((db, parameter: (name: 'projectId' | 'audience') => string) =>
  db
    .selectFrom('audiences')
    .select(['ttl_seconds', 'algorithm', 'claims'])
    .where('project_id', '=', parameter('projectId'))
    .where('audience', '=', parameter('audience')),
)

/** A project, and its head as it was before anything is read here. */
export interface DefaultsPlace {
  readonly reader: Kysely<Schema>
  readonly projectId: string
  readonly position: Position
}

/**
 * The defaults for a token that is meant for these audiences: the shortest of their lives; of algorithms and claims
 * those of the audience that is named first. While the head stays where it is they are read once: each change of them
 * moves it.
 */
export async function audienceDefaults(
  place: DefaultsPlace,
  audiences: readonly string[],
): Promise<AudienceDefaults> {
  const known = knownAt(place)
  let defaults: AudienceDefaults | undefined
  for (const audience of audiences) {
    let next = known.get(audience)
    if (next === undefined) {
      next = await readDefaults(place, audience)
      if (known.size < MAX_KNOWN) known.set(audience, next)
    }
    defaults = defaults === undefined ? next : combine(defaults, next)
  }
  return defaults ?? NO_DEFAULTS
}

/** What was read of a project at one head or later, by audience. */
interface Known {
  readonly position: Position
  readonly byAudience: Map<string, AudienceDefaults>
}

/** Of projects, and of each one's audiences. */
const MAX_KNOWN = 1_000

const knownBy = new WeakMap<Kysely<Schema>, Map<string, Known>>()

function knownAt({ reader, projectId, position }: DefaultsPlace): Map<string, AudienceDefaults> {
  const projects = knownBy.get(reader) ?? new Map<string, Known>()
  knownBy.set(reader, projects)
  const known = projects.get(projectId)
  if (known?.position.number === position.number && known.position.epoch === position.epoch) {
    return known.byAudience
  }
  if (projects.size >= MAX_KNOWN) projects.clear()
  const byAudience = new Map<string, AudienceDefaults>()
  projects.set(projectId, { position, byAudience })
  return byAudience
}

async function readDefaults(
  { reader, projectId }: DefaultsPlace,
  audience: string,
): Promise<AudienceDefaults> {
  const [row] = await query.execute(reader, { projectId, audience })
  if (row === undefined) return NO_DEFAULTS
  const { algorithm } = row
  return {
    ttlSeconds: row.ttl_seconds,
    algorithm: algorithm !== null && isSigningAlgorithm(algorithm) ? algorithm : null,
    claims: JSON.parse(row.claims),
  }
}

function combine(first: AudienceDefaults, next: AudienceDefaults): AudienceDefaults {
  const lives = [first.ttlSeconds, next.ttlSeconds].filter((life) => life !== null)
  return {
    ttlSeconds: lives.length === 0 ? null : Math.min(...lives),
    algorithm: first.algorithm ?? next.algorithm,
    claims: { ...next.claims, ...first.claims },
  }
}
