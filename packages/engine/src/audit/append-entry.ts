import type { Kysely } from 'kysely'
import type { Actor, AuditEntry } from '../commands/command.ts'
import type { Schema } from '../storage/schema.ts'

/** Writes an audit entry in the command's transaction (rule C1). Its detail must hold no secret. */
export async function appendEntry(
  db: Kysely<Schema>,
  entry: AuditEntry & { readonly atMs: number; readonly commandId: string; readonly actor: Actor },
): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      project_id: entry.projectId,
      at_ms: entry.atMs,
      command_id: entry.commandId,
      actor: formatActor(entry.actor),
      action: entry.action,
      target: entry.target,
      detail: JSON.stringify(entry.detail ?? {}),
    })
    .execute()
}

/** A management key goes by its id. */
export function formatActor(actor: Actor): string {
  return actor.kind === 'management-key' ? actor.keyId : actor.kind
}
