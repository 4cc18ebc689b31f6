import type { CreatedKey, Key, KeyPage, RotatedKey } from '@claviger/client'
import { environmentLine } from './environment-line.ts'
import { limitLines } from './limit-options.ts'
import { type Cell, colors, printRecord, printTable } from './output.ts'

export const KEY_STATUSES = ['active', 'disabled', 'revoked', 'expired', 'not_yet_valid'] as const

/** A key that was just made or rotated, with its text. */
export function printIssuedKey(key: CreatedKey | RotatedKey): void {
  printRecord([
    ...identityOf(key),
    ...('previousExpiresAt' in key ? [['former text until', key.previousExpiresAt] as const] : []),
    ['key', key.credential],
  ])
  console.log(`\n${environmentLine(key.name, key.credential)}\n`)
  console.log(colors.yellow('Keep it now: the key is shown this once.'))
}

export function printKey(key: Key): void {
  printRecord([
    ...identityOf(key),
    ['status', key.status],
    ['scopes', key.scopes ?? 'not narrowed'],
    ['from', key.ipAllow ?? 'anywhere'],
    ['not before', key.notBefore],
    ...limitLines(key),
    ['created', key.createdAt],
    ['changed', key.changedAt],
    ['last used', key.lastUsedAt],
    ...(key.lastUsedFrom === null ? [] : [['last used from', key.lastUsedFrom] as const]),
    ...(key.revokedAt === null
      ? []
      : [['revoked', key.revokedAt] as const, ['reason', key.revokeReason] as const]),
    ...key.secrets.map((secret) => ['text', describeSecret(key.prefix, secret)] as const),
    ['metadata', JSON.stringify(key.metadata)],
  ])
}

export function printKeys({ items, nextCursor }: KeyPage): void {
  printTable(
    ['ID', 'NAME', 'SUBJECT', 'ROLES', 'STATUS', 'EXPIRES', 'LAST USED', 'FROM'],
    items.map((key) => [
      key.id,
      key.name,
      key.subject,
      key.roles,
      key.status,
      key.expiresAt ?? 'never',
      key.lastUsedAt,
      key.lastUsedFrom,
    ]),
  )
  if (nextCursor !== null) console.log(`\nThere are more: --cursor ${nextCursor}`)
}

function identityOf(key: Key): (readonly [string, Cell])[] {
  return [
    ['id', key.id],
    ['name', key.name],
    ['subject', key.subject],
    ['roles', key.roles],
    ['permissions', key.permissions],
    ['expires', key.expiresAt ?? 'never'],
  ]
}

/** One text of a key, by its public part. */
export function describeSecret(prefix: string, secret: Key['secrets'][number]): string {
  const end = secret.revoked ? ', revoked' : secret.validUntil === null ? '' : `, until ${secret.validUntil}`
  const text =
    secret.shape === null ? `${prefix}_${secret.locator}…` : `${secret.shape} (SHA-256 ${secret.locator}…)`
  return `${text} since ${secret.createdAt}${end}`
}
