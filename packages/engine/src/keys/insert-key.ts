import { formatPosition } from '@claviger/verify'
import type { CommandContext } from '../commands/command.ts'
import { callerIdOf } from '../management/caller-id.ts'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'
import type { KeyRow, SecretRow } from './key.ts'
import type { NewSecret } from './key-text.ts'

/** What of a new key's row its command does not find out itself. */
export type NewKey = Omit<
  KeyRow,
  | 'number'
  | 'pos'
  | 'created_at_ms'
  | 'changed_at_ms'
  | 'created_by'
  | 'disabled'
  | 'revoked_at_ms'
  | 'revoke_reason'
  | 'deleted_at_ms'
  | 'limits'
> & {
  /** Absent: none, as management keys have none. */
  readonly limits?: string | null
}

const insertKeyRow = new PreparedQuery((db, parameter: Parameter<Omit<KeyRow, 'number'>>) =>
  db
    .insertInto('keys')
    .values({
      id: parameter('id'),
      project_id: parameter('project_id'),
      name: parameter('name'),
      prefix: parameter('prefix'),
      subject: parameter('subject'),
      roles: parameter('roles'),
      permissions: parameter('permissions'),
      scopes: parameter('scopes'),
      metadata: parameter('metadata'),
      limits: parameter('limits'),
      ip_allow: parameter('ip_allow'),
      disabled: parameter('disabled'),
      created_at_ms: parameter('created_at_ms'),
      changed_at_ms: parameter('changed_at_ms'),
      expires_at_ms: parameter('expires_at_ms'),
      not_before_ms: parameter('not_before_ms'),
      pos: parameter('pos'),
      revoked_at_ms: parameter('revoked_at_ms'),
      revoke_reason: parameter('revoke_reason'),
      deleted_at_ms: parameter('deleted_at_ms'),
      managed_project_id: parameter('managed_project_id'),
      verbs: parameter('verbs'),
      grants: parameter('grants'),
      created_by: parameter('created_by'),
    } satisfies Omit<KeyRow, 'number'>)
    .returning('number'),
)

const insertSecretRow = new PreparedQuery((db, parameter: Parameter<SecretRow>) =>
  db.insertInto('key_secrets').values({
    digest: parameter('digest'),
    project_id: parameter('project_id'),
    key_number: parameter('key_number'),
    key_id: parameter('key_id'),
    locator: parameter('locator'),
    created_at_ms: parameter('created_at_ms'),
    valid_until_ms: parameter('valid_until_ms'),
    revoked_at_ms: parameter('revoked_at_ms'),
    shape: parameter('shape'),
    imported_as: parameter('imported_as'),
  } satisfies SecretRow),
)

/** Writes a key with its first secret, at the place of the running command's change (rule V4), and tells it. */
export async function insertKey(context: CommandContext, key: NewKey, secret: NewSecret): Promise<KeyRow> {
  const row = {
    ...key,
    limits: key.limits ?? null,
    pos: formatPosition(await context.position(key.project_id)),
    created_at_ms: context.nowMs,
    changed_at_ms: context.nowMs,
    created_by: callerIdOf(context.actor),
    disabled: 0,
    revoked_at_ms: null,
    revoke_reason: null,
    deleted_at_ms: null,
  }
  const [inserted] = await insertKeyRow.execute(context.db, row)
  if (inserted === undefined) throw new TypeError('a key was written and got no number')
  await insertSecret(context, { ...key, number: inserted.number }, secret)
  await context.emit(key.project_id, { type: 'key', id: key.id, digests: [secret.digest] })
  return { ...row, number: inserted.number }
}

export async function insertSecret(
  { db, nowMs }: CommandContext,
  key: Pick<KeyRow, 'id' | 'number' | 'project_id'>,
  { digest, locator }: NewSecret,
): Promise<void> {
  await insertSecretRow.execute(db, {
    digest,
    project_id: key.project_id,
    key_number: key.number,
    key_id: key.id,
    locator,
    created_at_ms: nowMs,
    valid_until_ms: null,
    revoked_at_ms: null,
    shape: null,
    imported_as: null,
  })
}
