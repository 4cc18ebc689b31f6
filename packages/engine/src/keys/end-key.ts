import type { RevocationRule } from '@claviger/verify'
import type { CommandContext } from '../commands/command.ts'
import { addRule, tokensUntilMs } from '../revocation/add-rule.ts'
import { projectsIssuedIn } from './issued-in.ts'
import { emitKey, type KeyRow } from './key.ts'

export interface KeyEnd {
  readonly reason: string | null
  /** True spares the tokens and sessions that name the key as their client. */
  readonly keepIssued: boolean
}

/**
 * Ends a key for good, and what was issued to it as a client (rules V4, V5). The rule that it answers is the key's own;
 * all are made by this one command, so that it is acknowledged after the last.
 *
 * Ending a key again changes neither its time nor its reason, but may end what the first time had spared.
 */
export async function endKey(context: CommandContext, key: KeyRow, end: KeyEnd): Promise<RevocationRule> {
  if (key.revoked_at_ms === null) {
    await context.db
      .updateTable('keys')
      .set({ revoked_at_ms: context.nowMs, revoke_reason: end.reason, changed_at_ms: context.nowMs })
      .where('id', '=', key.id)
      .execute()
  }
  const rule = await addRule(context, key.project_id, {
    kind: 'key',
    target: key.id,
    issuer: null,
    only: null,
    ban: false,
    issuedBeforeMs: null,
    tokensUntilMs: tokensUntilMs(context.nowMs),
    reason: end.reason,
  })
  await emitKey(context, key)
  if (!end.keepIssued) await endIssued(context, key, end.reason)
  return rule
}

/**
 * Kills the tokens that name the key as their client, in every project that it could have issued in: when the key ends,
 * and when a customer's key is narrowed from which they may have been derived (rule R4). What is derived anew lives.
 */
export async function endIssued(context: CommandContext, key: KeyRow, reason: string | null): Promise<void> {
  for (const projectId of await projectsIssuedIn(context, key)) {
    await addRule(context, projectId, {
      kind: 'client',
      target: key.id,
      issuer: null,
      only: 'tokens',
      ban: false,
      issuedBeforeMs: null,
      tokensUntilMs: tokensUntilMs(context.nowMs),
      reason,
    })
  }
}
