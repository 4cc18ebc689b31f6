import { CodedError } from '../coded-error.ts'
import type { Command } from '../commands/command.ts'
import { activateSigningKey, endSigningKey } from './change-status.ts'
import { insertSigningKey, type NewSigningKey } from './make-signing-key.ts'
import { readPeriod } from './read-period.ts'
import { loadRing, planRing, type Ring } from './ring.ts'

interface TurnRingArgs extends Ring {
  /** Becomes the next key, if the ring owes one; made on the caller's side (rule C1). */
  readonly spare: NewSigningKey | null
}

/**
 * Takes the steps that a ring owes by its schedule: retires what no token needs any more, lets the next key sign, or
 * publishes one. What was owed when the node asked may be done already; then nothing is.
 */
export const turnRingCommand: Command<TurnRingArgs, null> = async (context, { spare, ...ring }) => {
  if (context.actor.kind === 'management-key') {
    throw new CodedError('forbidden', 'The schedule is kept by the node itself.')
  }
  const { db, nowMs } = context
  const { projectId } = ring
  await context.position(projectId)
  const keys = await loadRing(db, ring)
  const plan = planRing(keys, { periodSeconds: await readPeriod(db, projectId), nowMs })
  for (const key of plan.retire) {
    await endSigningKey(context, key)
    const detail = { algorithm: key.algorithm }
    await context.audit({ projectId, action: 'signing-key.retire', target: key.id, detail })
  }
  if (plan.activate !== undefined) await activateSigningKey(context, keys, plan.activate)
  if (plan.prepare && spare !== null) await insertSigningKey(context, spare, { status: 'next' })
  return null
}
