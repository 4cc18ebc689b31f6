import { isSigningAlgorithm, type SigningAlgorithm } from '@claviger/verify'
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

/**
 * The defaults for a token that is meant for these audiences: the shortest of their lives; of algorithms and claims
 * those of the audience that is named first. One look-up by primary key for each.
 */
export async function audienceDefaults(
  reader: Kysely<Schema>,
  projectId: string,
  audiences: readonly string[],
): Promise<AudienceDefaults> {
  const [first = NO_DEFAULTS, ...others] = await Promise.all(
    audiences.map((audience) => readDefaults(reader, projectId, audience)),
  )
  return others.reduce(combine, first)
}

async function readDefaults(
  reader: Kysely<Schema>,
  projectId: string,
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
