import type { CommandContext } from '../commands/command.ts'
import { parseTime } from '../time.ts'
import { clientFact, isIssuing } from './client-fact.ts'
import { projectsIssuedIn } from './issued-in.ts'
import { emitKey, type KeyRow } from './key.ts'
import { checkIpAllow, checkSpan } from './key-input.ts'

/** When, from where and whether at all a key may be used, whatever its rights are. */
export interface Validity {
  readonly disabled: boolean
  readonly expiresAtMs: number | null
  readonly notBeforeMs: number | null
  readonly ipAllow: readonly string[] | null
}

/** The members of a change that concern its validity, as the caller gave them. */
interface ValidityInput {
  readonly disabled?: boolean
  readonly expiresAt?: string | null
  readonly notBefore?: string | null
  readonly ipAllow?: string[] | null
}

/** Reads and checks what of a key's validity is to change; absent members stay as they are. */
export function parseValidity(input: ValidityInput): Partial<Validity> {
  return {
    ...(input.disabled === undefined ? {} : { disabled: input.disabled }),
    ...(input.expiresAt === undefined ? {} : { expiresAtMs: parseTimeOrNull(input.expiresAt, 'expiresAt') }),
    ...(input.notBefore === undefined ? {} : { notBeforeMs: parseTimeOrNull(input.notBefore, 'notBefore') }),
    ...(input.ipAllow === undefined ? {} : { ipAllow: checkIpAllow(input.ipAllow) }),
  }
}

function parseTimeOrNull(text: string | null, member: string): number | null {
  return text === null ? null : parseTime(text, member)
}

export function validityOf(row: KeyRow): Validity {
  return {
    disabled: row.disabled !== 0,
    expiresAtMs: row.expires_at_ms,
    notBeforeMs: row.not_before_ms,
    ipAllow: row.ip_allow === null ? null : JSON.parse(row.ip_allow),
  }
}

/** Whether the key may be used at a time or from a place where it could not before: that gives rights (rule M3). */
export function extendsValidity(before: Validity, after: Validity): boolean {
  if (before.disabled && !after.disabled) return true
  if (before.expiresAtMs !== null && (after.expiresAtMs === null || after.expiresAtMs > before.expiresAtMs)) {
    return true
  }
  if (before.notBeforeMs !== null && (after.notBeforeMs === null || after.notBeforeMs < before.notBeforeMs)) {
    return true
  }
  const places = before.ipAllow
  return (
    places !== null && (after.ipAllow === null || !after.ipAllow.every((block) => places.includes(block)))
  )
}

/**
 * Writes a changed key and tells it; a key that is disabled suspends what was issued to it, in every project that
 * it could have issued in, and limits that verifiers were told of are told anew (rule V5).
 */
export async function storeChange(
  context: CommandContext,
  before: KeyRow,
  after: { readonly validity: Validity; readonly columns: Partial<KeyRow> },
): Promise<KeyRow> {
  const { validity } = after
  checkSpan(validity)
  const columns = {
    ...after.columns,
    disabled: validity.disabled ? 1 : 0,
    expires_at_ms: validity.expiresAtMs,
    not_before_ms: validity.notBeforeMs,
    ip_allow: validity.ipAllow === null ? null : JSON.stringify(validity.ipAllow),
    changed_at_ms: context.nowMs,
  }
  await context.db.updateTable('keys').set(columns).where('id', '=', before.id).execute()
  await capSecrets(context, before.id, validity.expiresAtMs)
  await emitKey(context, before)
  const changed = { ...before, ...columns }
  const areLimitsTold = await isIssuing(context.db, before.id)
  if (before.disabled !== changed.disabled || (areLimitsTold && before.limits !== changed.limits)) {
    const fact = clientFact(areLimitsTold ? changed : { ...changed, limits: null })
    for (const projectId of await projectsIssuedIn(context, before)) await context.emit(projectId, fact)
  }
  return changed
}

/** No overlap lasts beyond the key's own expiry, nor comes back when that is put off again (rule V6). */
async function capSecrets({ db }: CommandContext, keyId: string, expiresAtMs: number | null): Promise<void> {
  if (expiresAtMs === null) return
  await db
    .updateTable('key_secrets')
    .set({ valid_until_ms: expiresAtMs })
    .where('key_id', '=', keyId)
    .where('valid_until_ms', '>', expiresAtMs)
    .execute()
}
