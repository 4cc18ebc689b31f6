import { coversAll } from '@claviger/verify'
import { extendsLimits } from '../limits/extends-limits.ts'
import { NO_LIMITS } from '../limits/limits-column.ts'
import { type Rights, requireGrants } from '../management/authorize.ts'
import type { RightsPlace } from '../roles/role-permissions.ts'
import { listedPermissions, type StoredSubject } from './subject-record.ts'

/** What bounds nothing lets everything pass. */
const UNBOUNDED: readonly string[] = ['*:*']

/**
 * Refuses a change of a subject's record that gives what the caller may not hand out (rule M3). A record gives in
 * two ways: it lets the rights of the subject's credentials count as far as its bound reaches, and a session
 * without rights of its own takes those that it lists (rule R6). So either growing needs grants that
 * cover what has grown; null stands for no record.
 */
export async function requireSubjectGrants(
  rights: Rights,
  place: RightsPlace,
  change: { readonly before: StoredSubject | null; readonly after: StoredSubject | null },
): Promise<void> {
  const { before, after } = change
  const listedBefore = await listedPermissions(place, before)
  const listedAfter = await listedPermissions(place, after)
  const boundAfter = listedAfter ?? UNBOUNDED
  const isEnabled = before?.disabled === true && after?.disabled !== true
  const isLessLimited = extendsLimits(before?.limits ?? NO_LIMITS, after?.limits ?? NO_LIMITS)
  if (
    isEnabled ||
    isLessLimited ||
    addsRoleNames(before, after) ||
    !coversAll(listedBefore ?? UNBOUNDED, boundAfter)
  ) {
    requireGrants(rights, boundAfter, 'the bound of the subject')
  }
  if (!coversAll(listedBefore ?? [], listedAfter ?? [])) {
    requireGrants(rights, listedAfter ?? [], 'the record of the subject')
  }
}

/** A listed role counts by its name too, whatever its permissions are at the moment. */
function addsRoleNames(before: StoredSubject | null, after: StoredSubject | null): boolean {
  const known = before?.roles ?? []
  return (after?.roles ?? []).some((name) => !known.includes(name))
}
