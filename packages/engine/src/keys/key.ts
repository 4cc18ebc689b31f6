import type { KeyFact } from '@claviger/verify'
import type { Kysely, Selectable } from 'kysely'
import { CodedError } from '../coded-error.ts'
import type { CommandContext } from '../commands/command.ts'
import { isKilled } from '../revocation/killed-keys.ts'
import type { GivenRights } from '../roles/role-permissions.ts'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'
import type { KeySecretTable, KeyTable, Schema } from '../storage/schema.ts'

export type KeyRow = Selectable<KeyTable>
export type SecretRow = Selectable<KeySecretTable>

/**
 * Which keys an operation sees. Customers' keys and management keys share a table and no operation: neither is
 * ever found in place of the other (rules M1, M4), nor a key of another project.
 */
export type KeyPlace =
  | { readonly kind: 'customer'; readonly projectId: string }
  /** `boundTo`: the project whose management keys are seen; null: all, root keys too. */
  | { readonly kind: 'management'; readonly projectId: string; readonly boundTo: string | null }

/** Finds a key that is not deleted. Throws `not_found`. */
export async function loadKey(db: Kysely<Schema>, place: KeyPlace, id: string): Promise<KeyRow> {
  const row = await selectKeys(db, place).where('keys.id', '=', id).executeTakeFirst()
  if (row === undefined) throw new CodedError('not_found', 'There is no such key here.')
  return row
}

/** As {@link loadKey}, for what a revoked key can no longer be: changed or rotated (rule V4). */
export async function loadLiveKey(db: Kysely<Schema>, place: KeyPlace, id: string): Promise<KeyRow> {
  const row = await loadKey(db, place, id)
  if (row.revoked_at_ms === null && !(await isKilled(db, row))) return row
  throw new CodedError('revoked', 'The key was revoked, for good. Create another one.')
}

export function selectKeys(db: Kysely<Schema>, place: KeyPlace) {
  const keys = db
    .selectFrom('keys')
    .selectAll('keys')
    .where('keys.project_id', '=', place.projectId)
    .where('keys.verbs', place.kind === 'management' ? 'is not' : 'is', null)
    .where('keys.deleted_at_ms', 'is', null)
  return place.kind === 'management' && place.boundTo !== null
    ? keys.where('keys.managed_project_id', '=', place.boundTo)
    : keys
}

/** The keys' secrets, the first one first; the last is the current one. */
export async function loadSecrets(db: Kysely<Schema>, keyIds: readonly string[]): Promise<SecretRow[]> {
  return keyIds.length === 0 ? [] : secretsQuery(db, keyIds).execute()
}

/** The same of one key. */
export function loadSecretsOf(db: Kysely<Schema>, keyId: string): Promise<readonly SecretRow[]> {
  return secretsOfOne.execute(db, { keyId })
}

const secretsOfOne = new PreparedQuery((db, parameter: Parameter<{ keyId: string }>) =>
  secretsQuery(db, [parameter('keyId')]),
)

function secretsQuery(db: Kysely<Schema>, keyIds: readonly string[]) {
  return (
    db
      .selectFrom('key_secrets')
      .selectAll()
      .where('key_id', 'in', keyIds)
      // The current secret, which has no end, comes last among those of one millisecond.
      .orderBy('created_at_ms')
      .orderBy(({ fn, val }) => fn.coalesce('valid_until_ms', val(Number.MAX_SAFE_INTEGER)))
  )
}

/** What the key was given, as its row says. */
export function givenRights(row: Pick<KeyRow, 'roles' | 'permissions' | 'scopes'>): GivenRights {
  return {
    roles: JSON.parse(row.roles),
    permissions: JSON.parse(row.permissions),
    scopes: row.scopes === null ? null : JSON.parse(row.scopes),
  }
}

/** Tells verifiers that the key changed: whatever they hold under any of its digests is void. */
export async function emitKey(
  context: CommandContext,
  row: Pick<KeyRow, 'id' | 'project_id'>,
): Promise<void> {
  const secrets = await loadSecretsOf(context.db, row.id)
  const fact: KeyFact = { type: 'key', id: row.id, digests: secrets.map(({ digest }) => digest) }
  await context.emit(row.project_id, fact)
}
