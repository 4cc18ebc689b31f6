import type { RevocationRule } from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import type { CommandContext } from '../commands/command.ts'
import { recordRevocation } from '../revocation/add-rule.ts'
import { SIGNING_KEY_KIND } from '../revocation/rule-row.ts'
import type { Scope } from '../scope.ts'
import { activateSigningKey, emitSigningKey, endSigningKey } from './change-status.ts'
import { insertSigningKey, makeSigningKey, type NewSigningKey } from './make-signing-key.ts'
import { loadSigningKey, type SigningKeyName } from './read-signing-key.ts'
import { loadRing, type Ring, retirementOf } from './ring.ts'

/** A signing key that is to be retired in an emergency. */
export interface SigningKeyEnd extends SigningKeyName, Ring {
  /** Signs from now on, where no next key is ready; made on the caller's side (rule C1). */
  readonly spare: NewSigningKey | null
}

/** Reads what the retirement needs, and makes the key that takes over if there is none. Throws `not_found`. */
export async function prepareRetirement(scope: Scope, id: string): Promise<SigningKeyEnd> {
  const { reader, projectId } = scope
  const row = await loadSigningKey(reader, { projectId, id })
  const ring = { projectId, algorithm: row.algorithm as Ring['algorithm'] }
  const isNeeded = row.status === 'active' && (await loadRing(reader, ring)).next === undefined
  return { id, ...ring, spare: isNeeded ? await makeSigningKey(scope, projectId, ring.algorithm) : null }
}

/**
 * Retires a signing key at once (rule V1): verifiers that follow the feed accept none of its tokens any more, and whoever
 * reads the JWKS learns it with the next copy. If it was the one that signed, the next key signs from now on.
 *
 * It leaves a record as rules do, but no rule: a key that verifiers no longer have needs none (docs/decisions/0012).
 */
export async function retireSigningKey(
  context: CommandContext,
  end: SigningKeyEnd,
  reason: string | null,
): Promise<Pick<RevocationRule, 'id' | 'position'>> {
  const { db, nowMs } = context
  const { projectId, id, spare } = end
  await context.position(projectId)
  const key = await loadSigningKey(db, end)
  // Told first: at no moment is there no key that signs.
  if (key.status === 'active') await replace(context, end, spare)
  const ended = await loadSigningKey(db, end)
  if (ended.status === 'retired') await emitSigningKey(context, ended, 'retired')
  else await endSigningKey(context, ended)
  const untilMs = retirementOf({ ...ended, retired_at_ms: null })
  const rule = await recordRevocation(context, projectId, {
    kind: SIGNING_KEY_KIND,
    target: id,
    issuer: null,
    only: null,
    ban: false,
    issuedBeforeMs: null,
    tokensUntilMs: untilMs !== null && untilMs > nowMs ? untilMs : null,
    reason,
  })
  await context.audit({
    projectId,
    action: 'signing-key.revoke',
    target: id,
    detail: { algorithm: key.algorithm, status: key.status, reason },
  })
  return rule
}

/** Hands over from the active key to the next one, whether it was published for long enough or not. */
async function replace(context: CommandContext, ring: Ring, spare: NewSigningKey | null): Promise<void> {
  if ((await loadRing(context.db, ring)).next === undefined) {
    if (spare === null) {
      throw new CodedError(
        'unavailable',
        'The keyring was rotated a moment ago. Ask again to retire the key.',
      )
    }
    await insertSigningKey(context, spare, { status: 'next' })
  }
  const keys = await loadRing(context.db, ring)
  if (keys.next !== undefined) await activateSigningKey(context, keys, keys.next)
}
