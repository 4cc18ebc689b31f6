import { type HeaderAlgorithm, isHeaderAlgorithm } from '@claviger/verify'
import type { RightsPlace } from '../roles/role-permissions.ts'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'

/** What a token gets unless the call that mints it says otherwise. Null: nothing was set. */
export interface AudienceDefaults {
  readonly ttlSeconds: number | null
  readonly algorithm: HeaderAlgorithm | null
  readonly claims: Readonly<Record<string, unknown>>
}

const NO_DEFAULTS: AudienceDefaults = Object.freeze({
  ttlSeconds: null,
  algorithm: null,
  claims: Object.freeze({}),
})

const query = new PreparedQuery((db, parameter: Parameter<{ projectId: string; audience: string }>) =>
  db
    .selectFrom('audiences')
    .select(['ttl_seconds', 'algorithm', 'claims'])
    .where('project_id', '=', parameter('projectId'))
    .where('audience', '=', parameter('audience')),
)

/**
 * The defaults for a token that is meant for these audiences: the shortest of their lives; of algorithms and claims
 * those of the audience that is named first. One look-up by primary key for each; minting keeps the answer for as long
 * as the project does not change (`FactsAt.defaults`).
 */
export async function audienceDefaults(
  place: RightsPlace,
  audiences: readonly string[],
): Promise<AudienceDefaults> {
  const [first = NO_DEFAULTS, ...others] = await Promise.all(
    audiences.map((audience) => readDefaults(place, audience)),
  )
  return others.reduce(combine, first)
}

async function readDefaults({ db, projectId }: RightsPlace, audience: string): Promise<AudienceDefaults> {
  const [row] = await query.execute(db, { projectId, audience })
  if (row === undefined) return NO_DEFAULTS
  const { algorithm } = row
  return {
    ttlSeconds: row.ttl_seconds,
    algorithm: algorithm !== null && isHeaderAlgorithm(algorithm) ? algorithm : null,
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
