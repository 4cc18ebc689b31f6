import { formatPosition } from '@claviger/verify'
import type { CommandContext } from '../commands/command.ts'
import { callerIdOf } from '../management/caller-id.ts'
import { emitKey, type KeyRow } from './key.ts'
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
  const { number } = await context.db
    .insertInto('keys')
    .values(row)
    .returning('number')
    .executeTakeFirstOrThrow()
  await insertSecret(context, { ...key, number }, secret)
  await emitKey(context, row)
  return { ...row, number }
}

export async function insertSecret(
  { db, nowMs }: CommandContext,
  key: Pick<KeyRow, 'id' | 'number' | 'project_id'>,
  { digest, locator }: NewSecret,
): Promise<void> {
  await db
    .insertInto('key_secrets')
    .values({
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
    .execute()
}
