import type { Kysely } from 'kysely'
import Type, { type Static } from 'typebox'
import { findSuspendedKeys, isSuspended } from '../backup/suspension.ts'
import { QuotaOrNull, RateLimits } from '../limits/limit-input.ts'
import { parseLimits } from '../limits/limits-column.ts'
import { findKilledKeys, isKilled } from '../revocation/killed-keys.ts'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'
import type { KeyUsageTable, Schema } from '../storage/schema.ts'
import { formatTime, formatTimeOrNull, Time } from '../time.ts'
import { givenRights, type KeyRow, loadSecrets, loadSecretsOf, type SecretRow } from './key.ts'

const STATUSES = ['active', 'disabled', 'revoked', 'expired', 'not_yet_valid'] as const

const TimeOrNull = Type.Union([Time, Type.Null()])
const ListOrNull = Type.Union([Type.Array(Type.String()), Type.Null()])

export const KeyStatus = Type.Enum(STATUSES, {
  description: 'The first that holds of revoked, disabled, expired, not_yet_valid; else active.',
})
export type KeyStatus = (typeof STATUSES)[number]

/** What customers' keys and management keys show alike. */
export const KeyViewBase = Type.Object({
  id: Type.String(),
  name: Type.String(),
  prefix: Type.String(),
  secrets: Type.Array(
    Type.Object({
      locator: Type.String({
        description:
          "The part of the key's text after its prefix; public. Of an imported text the beginning of its SHA-256, base64url.",
      }),
      shape: Type.Union([Type.String(), Type.Null()], {
        description: 'The key shape of a text that was issued elsewhere; null: one of our own.',
      }),
      createdAt: Time,
      validUntil: TimeOrNull,
      revoked: Type.Boolean(),
    }),
    { description: 'The oldest first. The last is the current one; the others end with `validUntil`.' },
  ),
  ipAllow: ListOrNull,
  disabled: Type.Boolean(),
  status: KeyStatus,
  createdAt: Time,
  changedAt: Time,
  expiresAt: TimeOrNull,
  notBefore: TimeOrNull,
  revokedAt: TimeOrNull,
  revokeReason: Type.Union([Type.String(), Type.Null()]),
  lastUsedAt: TimeOrNull,
  lastUsedFrom: Type.Union([Type.String(), Type.Null()], {
    description: "The client's address at that use; null: whoever verified the key did not tell it.",
  }),
})
export type KeyViewBase = Static<typeof KeyViewBase>

export const KeyView = Type.Object({
  ...KeyViewBase.properties,
  subject: Type.String(),
  roles: Type.Array(Type.String()),
  permissions: Type.Array(Type.String()),
  scopes: ListOrNull,
  metadata: Type.Record(Type.String(), Type.Unknown()),
  limits: RateLimits,
  quota: QuotaOrNull,
})
export type KeyView = Static<typeof KeyView>

/** The one answer that holds a key's text. */
export const CreatedKey = Type.Object({
  ...KeyView.properties,
  credential: Type.String({ description: "The key's text. It is shown this once." }),
})
export type CreatedKey = Static<typeof CreatedKey>

/** What of a key is not in its row. */
export interface KeyDetails {
  readonly secrets: readonly SecretRow[]
  readonly lastUse: Pick<KeyUsageTable, 'last_used_at_ms' | 'last_used_from'> | null
  /** By a revocation rule, whatever its row says. */
  readonly killed: boolean
  /** Since a restore (rule B1). */
  readonly suspended: boolean
}

const lastUseQuery = new PreparedQuery((db, parameter: Parameter<{ keyId: string }>) =>
  db
    .selectFrom('key_usage')
    .select(['last_used_at_ms', 'last_used_from'])
    .where('key_id', '=', parameter('keyId')),
)

export async function loadKeyView(db: Kysely<Schema>, row: KeyRow, nowMs: number): Promise<KeyView> {
  const [lastUse = null] = await lastUseQuery.execute(db, { keyId: row.id })
  const details = {
    secrets: await loadSecretsOf(db, row.id),
    lastUse,
    killed: await isKilled(db, row),
    suspended: await isSuspended(db, row),
  }
  return viewKey(row, details, nowMs)
}

/** Reads this of many keys of one project at once; the answer looks one key's up. */
export async function loadKeyDetails(
  db: Kysely<Schema>,
  rows: readonly KeyRow[],
): Promise<(keyId: string) => KeyDetails> {
  const ids = rows.map(({ id }) => id)
  const secrets = Map.groupBy(await loadSecrets(db, ids), (secret) => secret.key_id)
  const usage =
    ids.length === 0 ? [] : await db.selectFrom('key_usage').selectAll().where('key_id', 'in', ids).execute()
  const lastUse = new Map(usage.map((row) => [row.key_id, row]))
  const killed = await findKilledKeys(db, rows)
  const suspended = await findSuspendedKeys(db, rows)
  return (keyId) => ({
    secrets: secrets.get(keyId) ?? [],
    lastUse: lastUse.get(keyId) ?? null,
    killed: killed.has(keyId),
    suspended: suspended.has(keyId),
  })
}

export function viewKey(row: KeyRow, details: KeyDetails, nowMs: number): KeyView {
  const given = givenRights(row)
  const { rates, quota } = parseLimits(row.limits)
  return {
    ...viewKeyBase(row, details, nowMs),
    subject: row.subject,
    roles: [...given.roles],
    permissions: [...given.permissions],
    scopes: given.scopes === null ? null : [...given.scopes],
    metadata: JSON.parse(row.metadata),
    limits: [...rates],
    quota,
  }
}

export function viewKeyBase(row: KeyRow, details: KeyDetails, nowMs: number): KeyViewBase {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    secrets: details.secrets.map((secret) => ({
      locator: secret.locator,
      shape: secret.shape,
      createdAt: formatTime(secret.created_at_ms),
      validUntil: formatTimeOrNull(secret.valid_until_ms),
      revoked: secret.revoked_at_ms !== null,
    })),
    ipAllow: row.ip_allow === null ? null : JSON.parse(row.ip_allow),
    disabled: row.disabled !== 0,
    status: details.killed ? 'revoked' : statusOf(row, details, nowMs),
    createdAt: formatTime(row.created_at_ms),
    changedAt: formatTime(row.changed_at_ms),
    expiresAt: formatTimeOrNull(row.expires_at_ms),
    notBefore: formatTimeOrNull(row.not_before_ms),
    revokedAt: formatTimeOrNull(row.revoked_at_ms),
    revokeReason: row.revoke_reason,
    lastUsedAt: formatTimeOrNull(details.lastUse?.last_used_at_ms ?? null),
    lastUsedFrom: details.lastUse?.last_used_from ?? null,
  }
}

/** In the order of the verdicts (verdict.ts). */
function statusOf(row: KeyRow, { suspended }: KeyDetails, nowMs: number): KeyStatus {
  if (row.revoked_at_ms !== null) return 'revoked'
  if (row.disabled !== 0 || suspended) return 'disabled'
  if (row.expires_at_ms !== null && row.expires_at_ms <= nowMs) return 'expired'
  if (row.not_before_ms !== null && row.not_before_ms > nowMs) return 'not_yet_valid'
  return 'active'
}
