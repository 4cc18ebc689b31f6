import { CodedError } from '../coded-error.ts'
import type { Command } from '../commands/command.ts'
import type { EngineParts } from '../scope.ts'
import { insertSigningKey, makeSigningKey, type NewSigningKey } from './make-signing-key.ts'
import type { Ring } from './ring.ts'

/**
 * Begins a ring with a key that signs at once, and answers that key's `kid`. There is nothing to hand over from, so it
 * need not be published ahead: verifiers of our own are told before the first token is signed, and those that use the
 * JWKS fetch it when they meet a new `kid`.
 *
 * The node does this by itself at the first demand for an algorithm. It hands nothing out: who may mint was decided
 * before, and the key signs for whoever may.
 */
export async function addSigningKey(
  parts: Pick<EngineParts, 'writer' | 'sealer'>,
  { projectId, algorithm }: Ring,
): Promise<string> {
  const key = await makeSigningKey(parts, projectId, algorithm)
  const { id } = await parts.writer.run('add-signing-key', key, { kind: 'installation' })
  return id
}

/** Of several first demands at one time, all but one find that the ring has begun, and their keys are dropped. */
export const addSigningKeyCommand: Command<NewSigningKey, { readonly id: string }> = async (context, key) => {
  if (context.actor.kind === 'management-key') {
    throw new CodedError('forbidden', 'Signing keys are added by the node itself.')
  }
  // Locks the head before it looks: demands of other processes wait here, and then find this one's ring (rule C2).
  await context.position(key.projectId)
  const active = await context.db
    .selectFrom('signing_keys')
    .select('id')
    .where('project_id', '=', key.projectId)
    .where('algorithm', '=', key.algorithm)
    .where('status', '=', 'active')
    .executeTakeFirst()
  if (active !== undefined) return active
  await insertSigningKey(context, key)
  return { id: key.id }
}
