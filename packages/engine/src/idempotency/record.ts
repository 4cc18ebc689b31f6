import type { Kysely } from 'kysely'
import { CodedError } from '../coded-error.ts'
import type { OnceRecord } from '../commands/messages.ts'
import type { Schema } from '../storage/schema.ts'

/** As long as a command's result is kept (commands/run-batch.ts). */
const KEPT_MS = 86_400_000

/** What the same request came to before. */
export interface KnownRequest {
  /** JSON, as the command answered. */
  readonly result: string
  readonly sealed: Uint8Array | null
}

/**
 * What became of this request when it came before; undefined: it comes for the first time. Throws
 * `idempotency_key_reused` when the caller has sent the key with another request.
 */
export async function findRecord(
  db: Kysely<Schema>,
  { callerId, keyMac, requestMac }: Omit<OnceRecord, 'sealed'>,
  nowMs: number,
): Promise<KnownRequest | undefined> {
  const row = await db
    .selectFrom('idempotency_keys')
    .innerJoin('commands', 'commands.id', 'idempotency_keys.command_id')
    .select(['request_mac', 'sealed', 'result'])
    .where('caller_id', '=', callerId)
    .where('key_mac', '=', keyMac)
    .where('idempotency_keys.at_ms', '>=', nowMs - KEPT_MS)
    .executeTakeFirst()
  if (row === undefined || row.request_mac === requestMac) return row
  throw new CodedError(
    'idempotency_key_reused',
    'The Idempotency-Key came with another request before: another route, project or body. Nothing was done. Use a new key for each request.',
  )
}

/** Stores that the request ran this command, in the command's transaction. One that is older than a day gives way. */
export async function insertRecord(
  db: Kysely<Schema>,
  { callerId, keyMac, requestMac, sealed }: OnceRecord,
  { commandId, nowMs }: { readonly commandId: string; readonly nowMs: number },
): Promise<void> {
  const row = { request_mac: requestMac, command_id: commandId, at_ms: nowMs, sealed }
  await db
    .insertInto('idempotency_keys')
    .values({ caller_id: callerId, key_mac: keyMac, ...row })
    .onConflict((conflict) => conflict.columns(['caller_id', 'key_mac']).doUpdateSet(row))
    .execute()
}
