import { CodedError } from '../coded-error.ts'
import type { CommandContext } from '../commands/command.ts'
import { insertSecret } from './insert-key.ts'
import { emitKey, type KeyRow, loadSecrets } from './key.ts'
import type { NewSecret } from './key-text.ts'

export interface SecretRotation {
  readonly secret: NewSecret
  /** How long the superseded secrets still work. 0: not at all. */
  readonly overlapSeconds: number
}

/** A lost answer must lock nobody out (rule C7). */
const MIN_OWN_OVERLAP_SECONDS = 60

/**
 * Gives the key another secret, under the same identity. Every older secret ends with the overlap at the latest,
 * sooner if it was to end sooner, and never after the key itself (rule V6). Answers when the superseded one ends.
 */
export async function rotateSecrets(
  context: CommandContext,
  key: KeyRow,
  { secret, overlapSeconds }: SecretRotation,
): Promise<number> {
  if (key.expires_at_ms !== null && key.expires_at_ms <= context.nowMs) {
    throw new CodedError('invalid_request', 'The key has expired. Give it a later `expiresAt` first.')
  }
  requireOwnOverlap(context, key, overlapSeconds)
  const endsAtMs = Math.min(
    context.nowMs + overlapSeconds * 1000,
    key.expires_at_ms ?? Number.POSITIVE_INFINITY,
  )
  for (const older of await loadSecrets(context.db, [key.id])) {
    if (older.valid_until_ms !== null && older.valid_until_ms <= endsAtMs) continue
    await context.db
      .updateTable('key_secrets')
      .set({ valid_until_ms: endsAtMs })
      .where('digest', '=', older.digest)
      .where('project_id', '=', key.project_id)
      .execute()
  }
  await insertSecret(context, key, secret)
  await context.db
    .updateTable('keys')
    .set({ changed_at_ms: context.nowMs })
    .where('id', '=', key.id)
    .execute()
  await emitKey(context, key)
  return endsAtMs
}

function requireOwnOverlap({ actor }: CommandContext, key: KeyRow, overlapSeconds: number): void {
  if (actor.kind !== 'management-key' || actor.keyId !== key.id) return
  if (overlapSeconds >= MIN_OWN_OVERLAP_SECONDS) return
  throw new CodedError(
    'invalid_request',
    `A key that rotates itself needs \`overlapSeconds\` of ${MIN_OWN_OVERLAP_SECONDS} or more: a lost answer would lock you out.`,
  )
}
