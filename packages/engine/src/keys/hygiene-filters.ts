import { effectivePermissions } from '@claviger/verify'
import type { ExpressionBuilder, ExpressionWrapper, Kysely, SqlBool } from 'kysely'
import Type, { type Static } from 'typebox'
import type { Schema } from '../storage/schema.ts'
import { givenRights, type KeyRow } from './key.ts'

const MAX_PERIOD_SECONDS = 10 * 366 * 86_400

const Period = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_PERIOD_SECONDS, description }))

/** Filters that find the keys which somebody should look at. */
export const HygieneFilters = {
  neverUsed: Type.Optional(
    Type.Boolean({ description: 'True: never used since it was created. False: used at least once.' }),
  ),
  unusedForSeconds: Period('Neither created nor used for so long.'),
  expiresWithinSeconds: Period('Still valid, and expires within this time.'),
  neverExpires: Type.Optional(
    Type.Boolean({ description: 'True: without an expiry. False: with one, past or to come.' }),
  ),
  notRotatedForSeconds: Period('Its current text is at least so old.'),
  unlimited: Type.Optional(
    Type.Boolean({
      description:
        'True: no rate limit and no quota bounds it, neither its own nor one of its subject. False: one does.',
    }),
  ),
  overBroad: Type.Optional(
    Type.Boolean({
      description:
        'True: it holds an action on every resource, such as `*:*` or `*:read`, by itself or by a role.',
    }),
  ),
}

const HygieneObject = Type.Object(HygieneFilters)
export type HygieneInput = Static<typeof HygieneObject>

type KeyExpressions = ExpressionBuilder<Schema, 'keys'>
type Condition = ExpressionWrapper<Schema, 'keys', SqlBool>

/** What the database can tell of the filters; {@link keepBreadth} tells the rest. */
export function matchesHygiene(
  filters: HygieneInput,
  { nowMs, broadRoles }: { readonly nowMs: number; readonly broadRoles: readonly string[] },
): (eb: KeyExpressions) => Condition {
  return (eb) => {
    const conditions: Condition[] = []
    const { neverUsed, unusedForSeconds, expiresWithinSeconds, neverExpires, notRotatedForSeconds } = filters
    const uses = eb.selectFrom('key_usage').select('key_id').whereRef('key_usage.key_id', '=', 'keys.id')
    if (neverUsed !== undefined) conditions.push(neverUsed ? eb.not(eb.exists(uses)) : eb.exists(uses))
    if (unusedForSeconds !== undefined) {
      const sinceMs = nowMs - unusedForSeconds * 1000
      conditions.push(
        eb('keys.created_at_ms', '<=', sinceMs),
        eb.not(eb.exists(uses.where('key_usage.last_used_at_ms', '>', sinceMs))),
      )
    }
    if (expiresWithinSeconds !== undefined) {
      conditions.push(
        eb('keys.expires_at_ms', '>', nowMs),
        eb('keys.expires_at_ms', '<=', nowMs + expiresWithinSeconds * 1000),
      )
    }
    if (neverExpires !== undefined) {
      conditions.push(eb('keys.expires_at_ms', neverExpires ? 'is' : 'is not', null))
    }
    if (notRotatedForSeconds !== undefined) {
      const younger = eb
        .selectFrom('key_secrets')
        .select('digest')
        .whereRef('key_secrets.key_id', '=', 'keys.id')
        .where('key_secrets.valid_until_ms', 'is', null)
        .where('key_secrets.created_at_ms', '>', nowMs - notRotatedForSeconds * 1000)
      conditions.push(eb.not(eb.exists(younger)))
    }
    if (filters.unlimited !== undefined) {
      conditions.push(filters.unlimited ? eb.not(isLimited(eb)) : isLimited(eb))
    }
    if (filters.overBroad === true) conditions.push(mayBeBroad(eb, broadRoles))
    return eb.and(conditions)
  }
}

/** By limits of its own, or of its subject's record (rule Q1). */
function isLimited(eb: KeyExpressions): Condition {
  const record = eb
    .selectFrom('subjects')
    .select('subjects.subject')
    .whereRef('subjects.project_id', '=', 'keys.project_id')
    .where('subjects.issuer', '=', '')
    .whereRef('subjects.subject', '=', 'keys.subject')
    .where('subjects.limits', 'is not', null)
  return eb.or([eb('keys.limits', 'is not', null), eb.exists(record)])
}

/** Beyond so many the text of a key's roles is not searched for each of them. */
const MAX_ROLES_SEARCHED = 50

/** Lets through every key that is over-broad, and some that are not. */
function mayBeBroad(eb: KeyExpressions, broadRoles: readonly string[]): Condition {
  const byItself = eb('keys.permissions', 'like', '%"*:%')
  if (broadRoles.length > MAX_ROLES_SEARCHED) return eb.or([byItself, eb('keys.roles', '!=', '[]')])
  return eb.or([byItself, ...broadRoles.map((name) => eb('keys.roles', 'like', `%${JSON.stringify(name)}%`))])
}

/** The project's live roles, by name. */
export async function loadRoles(
  db: Kysely<Schema>,
  projectId: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await db
    .selectFrom('roles')
    .select(['name', 'permissions'])
    .where('project_id', '=', projectId)
    .where('deleted_at_ms', 'is', null)
    .execute()
  return new Map(rows.map(({ name, permissions }) => [name, JSON.parse(permissions)]))
}

export function broadRolesOf(roles: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return [...roles].flatMap(([name, permissions]) => (permissions.some(isBroad) ? [name] : []))
}

/** Whether what the key may do, once its scopes have narrowed it (rule R2), is some action on every resource. */
export function isOverBroad(row: KeyRow, roles: ReadonlyMap<string, readonly string[]>): boolean {
  const given = givenRights(row)
  return effectivePermissions({
    roles: given.roles.map((name) => roles.get(name) ?? []),
    direct: given.permissions,
    scopes: given.scopes,
    bound: null,
  }).some(isBroad)
}

function isBroad(permission: string): boolean {
  return permission.startsWith('*:')
}
