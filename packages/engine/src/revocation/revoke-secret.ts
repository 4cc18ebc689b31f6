import type { RevocationRule } from '@claviger/verify'
import type { CommandContext } from '../commands/command.ts'
import { endIssued } from '../keys/end-key.ts'
import { emitKey, type KeyRow, type SecretRow } from '../keys/key.ts'
import { recordRevocation } from './add-rule.ts'
import { SECRET_KIND } from './rule-row.ts'

/**
 * Ends one secret of a key and leaves the key to its others (rule V6). It keeps a record as rules do, so that it has a
 * place in the feed and a receipt; verifiers are told that the key changed, and find it in the secret's own row.
 */
export async function revokeSecret(
  context: CommandContext,
  key: KeyRow,
  { secret, reason }: { readonly secret: SecretRow; readonly reason: string | null },
): Promise<Pick<RevocationRule, 'id' | 'position'>> {
  await context.db
    .updateTable('key_secrets')
    .set({ revoked_at_ms: secret.revoked_at_ms ?? context.nowMs })
    .where('digest', '=', secret.digest)
    .where('project_id', '=', key.project_id)
    .execute()
  const { id, position } = await recordRevocation(context, key.project_id, {
    kind: SECRET_KIND,
    target: secret.locator,
    issuer: null,
    only: null,
    ban: false,
    issuedBeforeMs: null,
    tokensUntilMs: null,
    reason,
  })
  await emitKey(context, key)
  // Which text a token was derived from is not known: those of the key so far die, and can be derived anew (rule R4).
  await endIssued(context, key, reason)
  return { id, position }
}
