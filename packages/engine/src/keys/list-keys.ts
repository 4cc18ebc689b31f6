import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely'
import Type, { type Static } from 'typebox'
import { parseInput } from '../input.ts'
import { KeyShapeName } from '../key-shapes/key-shape.ts'
import { authorizeRead } from '../management/authorize.ts'
import { makeCursor, makePage, type Page, PageInput, readPageRequest } from '../page.ts'
import { KINDS_FOR_KEYS } from '../revocation/killed-keys.ts'
import type { Scope } from '../scope.ts'
import type { Schema } from '../storage/schema.ts'
import { SubjectId } from '../subjects/subject-input.ts'
import { broadRolesOf, HygieneFilters, isOverBroad, loadRoles, matchesHygiene } from './hygiene-filters.ts'
import { selectKeys } from './key.ts'
import { KeyStatus, type KeyView, loadKeyDetails, viewKey } from './key-view.ts'
import { findScanEnd } from './scan-window.ts'

/** The filters that customers' keys and management keys share. */
export const KeyFilters = {
  name: Type.Optional(Type.String({ maxLength: 200 })),
  status: Type.Optional(KeyStatus),
  locator: Type.Optional(
    Type.String({ maxLength: 8, description: 'Finds a key by what logs and leak reports show.' }),
  ),
}

export const ListKeysInput = Type.Object(
  {
    ...PageInput,
    ...KeyFilters,
    subject: Type.Optional(SubjectId),
    prefix: Type.Optional(Type.String({ maxLength: 24 })),
    shape: Type.Optional(
      Type.String({ ...KeyShapeName, description: 'Known by a text of this key shape, which still works.' }),
    ),
    ...HygieneFilters,
  },
  { additionalProperties: false },
)

/**
 * The project's keys, the oldest first; deleted ones are left out. A page looks at a bounded number of keys, so one that
 * is filtered may hold few keys or none and still name a next one (scan-window.ts).
 */
export async function listKeys(scope: Scope, input: unknown = {}): Promise<Page<KeyView>> {
  await authorizeRead(scope, 'keys:read')
  const filters = parseInput(ListKeysInput, input)
  const { projectId, reader } = scope
  const request = readPageRequest(filters, { list: 'keys', projectId })
  const nowMs = scope.clock.nowMs()
  const roles = filters.overBroad === undefined ? NO_ROLES : await loadRoles(reader, projectId)
  let query = selectKeys(reader, { kind: 'customer', projectId })
    .where(matchesKeyFilters(filters, nowMs))
    .where(matchesHygiene(filters, { nowMs, broadRoles: broadRolesOf(roles) }))
    .orderBy('keys.id')
    .limit(request.rows)
  if (request.after !== undefined) query = query.where('keys.id', '>', request.after)
  if (filters.subject !== undefined) query = query.where('keys.subject', '=', filters.subject)
  if (filters.prefix !== undefined) query = query.where('keys.prefix', '=', filters.prefix)
  if (filters.shape !== undefined) query = query.where(hasTextOf(filters.shape, nowMs))
  const place = { projectId, subject: filters.subject, after: request.after }
  const scanEnd = isIndexed(filters) ? undefined : await findScanEnd(reader, place)
  if (scanEnd !== undefined) query = query.where('keys.id', '<=', scanEnd)
  const rows = await query.execute()
  const shown = rows.slice(0, request.limit)
  const details = await loadKeyDetails(reader, shown)
  const page = makePage(rows, request, {
    keyOf: (row) => row.id,
    itemOf: (row) => ({ row, view: viewKey(row, details(row.id), nowMs) }),
  })
  const { status, overBroad } = filters
  const items = page.items
    .filter(({ view }) => status === undefined || view.status === status)
    .filter(({ row }) => overBroad === undefined || isOverBroad(row, roles) === overBroad)
  return { items: items.map(({ view }) => view), nextCursor: page.nextCursor ?? makeCursor(scanEnd, request) }
}

const NO_ROLES: ReadonlyMap<string, readonly string[]> = new Map()

/** Whether an index leads to what is asked for; every other filter is a walk through the keys. */
function isIndexed(filters: Static<typeof ListKeysInput>): boolean {
  const { limit, cursor, locator, subject, ...walked } = filters
  return locator !== undefined || Object.values(walked).every((value) => value === undefined)
}

/** The database knows the status but for what revocation rules do to it: a page may come out shorter. */
export function keepStatus<View extends { readonly status: KeyStatus }>(
  page: Page<View>,
  status: KeyStatus | undefined,
): Page<View> {
  return status === undefined ? page : { ...page, items: page.items.filter((key) => key.status === status) }
}

type KeyExpressions = ExpressionBuilder<Schema, 'keys'>
type Condition = ExpressionWrapper<Schema, 'keys', SqlBool>

export function matchesKeyFilters(
  filters: { name?: string; status?: KeyStatus; locator?: string },
  nowMs: number,
): (eb: KeyExpressions) => Condition {
  return (eb) => {
    const conditions: Condition[] = []
    if (filters.name !== undefined) conditions.push(eb('keys.name', '=', filters.name))
    if (filters.status !== undefined) conditions.push(hasStatus(eb, filters.status, nowMs))
    if (filters.locator !== undefined) {
      const owners = eb.selectFrom('key_secrets').select('key_id').where('locator', '=', filters.locator)
      conditions.push(eb('keys.id', 'in', owners))
    }
    return eb.and(conditions)
  }
}

/** The same order of precedence as the view's status; keys that a rule may have killed pass as revoked too. */
function hasStatus(eb: KeyExpressions, status: KeyStatus, nowMs: number): Condition {
  const unrevoked = eb('keys.revoked_at_ms', 'is', null)
  const enabled = eb('keys.disabled', '=', 0)
  const unexpired = eb.or([eb('keys.expires_at_ms', 'is', null), eb('keys.expires_at_ms', '>', nowMs)])
  const begun = eb.or([eb('keys.not_before_ms', 'is', null), eb('keys.not_before_ms', '<=', nowMs)])
  switch (status) {
    case 'revoked':
      return eb.or([eb('keys.revoked_at_ms', 'is not', null), eb.exists(rulesFor(eb))])
    case 'disabled':
      return eb.and([unrevoked, eb('keys.disabled', '=', 1)])
    case 'expired':
      return eb.and([unrevoked, enabled, eb('keys.expires_at_ms', '<=', nowMs)])
    case 'not_yet_valid':
      return eb.and([unrevoked, enabled, unexpired, eb('keys.not_before_ms', '>', nowMs)])
    case 'active':
      return eb.and([unrevoked, enabled, unexpired, begun])
  }
}

function hasTextOf(shape: string, nowMs: number): (eb: KeyExpressions) => Condition {
  return (eb) =>
    eb.exists(
      eb
        .selectFrom('key_secrets')
        .select('key_secrets.digest')
        .whereRef('key_secrets.key_id', '=', 'keys.id')
        .where('key_secrets.shape', '=', shape)
        .where('key_secrets.revoked_at_ms', 'is', null)
        .where((secret) =>
          secret.or([
            secret('key_secrets.valid_until_ms', 'is', null),
            secret('key_secrets.valid_until_ms', '>', nowMs),
          ]),
        ),
    )
}

/** Rules that may aim at the key; whether one kills it depends on positions (killed-keys.ts). */
function rulesFor(eb: KeyExpressions) {
  return eb
    .selectFrom('revocations')
    .select('revocations.id')
    .whereRef('revocations.project_id', '=', 'keys.project_id')
    .where('revocations.issuer', '=', '')
    .where('revocations.lifted_at_ms', 'is', null)
    .where('revocations.kind', 'in', KINDS_FOR_KEYS)
    .where((rule) =>
      rule('revocations.target', 'in', [rule.val(''), rule.ref('keys.subject'), rule.ref('keys.id')]),
    )
}
