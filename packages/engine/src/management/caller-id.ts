import type { Actor } from '../commands/command.ts'

/** The management key on whose behalf something is done; null: for the embedding program or the node itself. */
export function callerIdOf(actor: Actor): string | null {
  return actor.kind === 'management-key' ? actor.keyId : null
}
