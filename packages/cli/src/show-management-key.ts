import type {
  CreatedManagementKey,
  ManagementKey,
  ManagementKeyPage,
  RotatedManagementKey,
} from '@claviger/client'
import { type Cell, colors, printRecord, printTable } from './output.ts'
import { describeSecret } from './show-key.ts'

/** A management key that was just made or rotated, with its text as the command and the client look for it. */
export function printIssuedManagementKey(key: CreatedManagementKey | RotatedManagementKey): void {
  printRecord([
    ...identityOf(key),
    ...('previousExpiresAt' in key ? [['former text until', key.previousExpiresAt] as const] : []),
    ['key', key.credential],
  ])
  console.log(`\nCLAVIGER_KEY=${key.credential}\n`)
  console.log(colors.yellow('Keep it now: the key is shown this once.'))
}

export function printManagementKey(key: ManagementKey): void {
  printRecord([
    ...identityOf(key),
    ['status', key.status],
    ['from', key.ipAllow ?? 'anywhere'],
    ['created', key.createdAt],
    ['changed', key.changedAt],
    ['last used', key.lastUsedAt],
    ...(key.lastUsedFrom === null ? [] : [['last used from', key.lastUsedFrom] as const]),
    ...(key.revokedAt === null
      ? []
      : [['revoked', key.revokedAt] as const, ['reason', key.revokeReason] as const]),
    ...key.secrets.map((secret) => ['text', describeSecret(key.prefix, secret)] as const),
  ])
}

export function printManagementKeys({ items, nextCursor }: ManagementKeyPage): void {
  printTable(
    ['ID', 'NAME', 'PROJECT', 'STATUS', 'GRANTS', 'EXPIRES', 'LAST USED'],
    items.map((key) => [
      key.id,
      key.name,
      key.project ?? 'root',
      key.status,
      key.grants,
      key.expiresAt ?? 'never',
      key.lastUsedAt,
    ]),
  )
  if (nextCursor !== null) console.log(`\nThere are more: --cursor ${nextCursor}`)
}

function identityOf(key: ManagementKey): (readonly [string, Cell])[] {
  return [
    ['id', key.id],
    ['name', key.name],
    ['project', key.project ?? 'every project: a root key'],
    ['verbs', key.verbs],
    ['grants', key.grants],
    ['expires', key.expiresAt ?? 'never'],
  ]
}
