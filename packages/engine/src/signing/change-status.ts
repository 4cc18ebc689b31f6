import type { SigningAlgorithm, SigningKeyFact } from '@claviger/verify'
import type { CommandContext } from '../commands/command.ts'
import type { PublicKeyRow, RingKeys } from './ring.ts'

/**
 * Lets a key of the ring sign from now on; the one that signed before stays for those who verify, until its last token
 * has expired.
 */
export async function activateSigningKey(
  context: CommandContext,
  { active }: RingKeys,
  key: PublicKeyRow,
): Promise<void> {
  const { nowMs } = context
  if (active !== undefined) {
    await changeStatus(context, active, { status: 'retiring', superseded_at_ms: nowMs })
  }
  await changeStatus(context, key, { status: 'active', activated_at_ms: nowMs, activate_at_ms: null })
  await context.audit({
    projectId: key.project_id,
    action: 'signing-key.activate',
    target: key.id,
    detail: { algorithm: key.algorithm, superseded: active?.id ?? null },
  })
}

/** Takes a key out of the JWKS and the verifiers, and its private part out of the database. There is no way back. */
export async function endSigningKey(context: CommandContext, key: PublicKeyRow): Promise<void> {
  const end = { status: 'retired', activate_at_ms: null, private_sealed: new Uint8Array() } as const
  await changeStatus(context, key, {
    ...end,
    superseded_at_ms: key.superseded_at_ms ?? (key.status === 'active' ? context.nowMs : null),
    retired_at_ms: context.nowMs,
  })
}

/** Tells the feed what a key is now. */
export async function emitSigningKey(
  context: CommandContext,
  key: PublicKeyRow,
  status: SigningKeyFact['status'],
): Promise<void> {
  await context.emit(key.project_id, {
    type: 'signing-key',
    id: key.id,
    algorithm: key.algorithm as SigningAlgorithm,
    status,
    publicJwk: JSON.parse(key.public_jwk),
    ...(key.tokens_until_ms === null ? {} : { tokensUntilMs: key.tokens_until_ms }),
  })
}

type Changes = Pick<PublicKeyRow, 'status'> &
  Partial<
    Pick<PublicKeyRow, 'activate_at_ms' | 'activated_at_ms' | 'superseded_at_ms' | 'retired_at_ms'> & {
      readonly private_sealed: Uint8Array
    }
  >

async function changeStatus(context: CommandContext, key: PublicKeyRow, changes: Changes): Promise<void> {
  await context.db
    .updateTable('signing_keys')
    .set(changes)
    .where('project_id', '=', key.project_id)
    .where('id', '=', key.id)
    .execute()
  await emitSigningKey(context, key, changes.status)
}
