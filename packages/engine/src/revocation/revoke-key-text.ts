import type { RevocationRule } from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import type { CommandContext } from '../commands/command.ts'
import { endKey, type KeyEnd } from '../keys/end-key.ts'
import { type KeyRow, type SecretRow, selectKeys } from '../keys/key.ts'
import { managementPlace, type Rights } from '../management/authorize.ts'
import { MANAGEMENT_PROJECT } from '../scope.ts'
import { revokeSecret } from './revoke-secret.ts'

export interface KeyText {
  readonly projectId: string
  readonly digest: string
}

/**
 * Ends what a key's text names (rule V6): the key, if the text is the current one; of a superseded one only the secret,
 * so that whoever finds an old text cannot end what replaced it.
 *
 * Whoever has the text could use it, so nobody needs more rights to end it: a management key that the caller sees is
 * ended by its text too, without the verb that its listing needs.
 */
export async function revokeKeyText(
  context: CommandContext,
  rights: Rights,
  { text, end }: { readonly text: KeyText; readonly end: KeyEnd },
): Promise<Pick<RevocationRule, 'id' | 'position'>> {
  const { secret, key } = await findKeyOf(context, rights, text)
  const { reason, keepIssued } = end
  const isCurrent = secret.valid_until_ms === null
  const { id, position } = isCurrent
    ? await endKey(context, key, end)
    : await revokeSecret(context, key, { secret, reason })
  const thing = key.project_id === MANAGEMENT_PROJECT ? 'management-key' : 'key'
  await context.audit({
    projectId: key.project_id,
    action: isCurrent ? `${thing}.revoke` : `${thing}.revoke-secret`,
    target: key.id,
    detail: { locator: secret.locator, reason, ...(isCurrent ? { keepIssued } : {}) },
  })
  return { id, position }
}

/** The text's secret and key: the project's own, or a management key that the caller sees. Throws `not_found`. */
async function findKeyOf(
  { db }: CommandContext,
  rights: Rights,
  { projectId, digest }: KeyText,
): Promise<{ readonly secret: SecretRow; readonly key: KeyRow }> {
  const places = [{ kind: 'customer', projectId } as const, managementPlace(rights)]
  for (const place of places) {
    const secret = await db
      .selectFrom('key_secrets')
      .selectAll()
      .where('digest', '=', digest)
      .where('project_id', '=', place.projectId)
      .executeTakeFirst()
    if (secret === undefined) continue
    const key = await selectKeys(db, place).where('keys.id', '=', secret.key_id).executeTakeFirst()
    if (key !== undefined) return { secret, key }
  }
  throw new CodedError('not_found', 'The credential is no key of this project.')
}
