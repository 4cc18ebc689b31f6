import type { Actor } from '../commands/command.ts'

/** The `client_id` of tokens that the embedding program issues. */
const EMBEDDED_CLIENT = 'embedded'

/** A management key acts as the client of what it issues, so that revoking the key revokes that too (rule V5). */
export function clientIdOf(actor: Actor): string {
  return actor.kind === 'management-key' ? actor.keyId : EMBEDDED_CLIENT
}
