import { isIP } from 'node:net'
import type { Kysely } from 'kysely'
import type { Actor, AuditEntry, RequestOrigin } from '../commands/command.ts'
import type { Schema } from '../storage/schema.ts'
import type { AuditChain } from './audit-chain.ts'
import { withoutCredentials } from './without-credentials.ts'

export interface NewEntry extends AuditEntry {
  readonly atMs: number
  readonly commandId: string
  readonly actor: Actor
}

/** Writes an audit entry in the command's transaction (rule C1). Its detail must hold no secret. */
export async function appendEntry(db: Kysely<Schema>, chain: AuditChain, entry: NewEntry): Promise<void> {
  const caller = entry.caller ?? callerOf(entry.actor)
  await chain.append(db, {
    project_id: entry.projectId,
    at_ms: entry.atMs,
    command_id: entry.commandId,
    actor: caller.name,
    action: entry.action,
    // Stored text is UTF-8: what has no form in it must not go into the MAC either.
    target: withoutCredentials(entry.target).toWellFormed(),
    outcome: entry.outcome ?? 'done',
    address: addressOf(caller),
    request_id: caller.requestId ?? null,
    detail: withoutCredentials(JSON.stringify(entry.detail ?? {})),
  })
}

/** Behind a proxy that passes on whatever it was told, a caller's own text can stand where an address belongs. */
export function addressOf({ address }: RequestOrigin): string | null {
  return address !== undefined && isIP(address) !== 0 ? address : null
}

/** A management key goes by its id. */
function callerOf(actor: Actor): NonNullable<AuditEntry['caller']> {
  if (actor.kind !== 'management-key') return { name: actor.kind }
  return { name: actor.keyId, ...actor.origin }
}
