import type { RevocationRule } from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import type { Command, CommandContext } from '../commands/command.ts'
import { authorize, requireGrants } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import { findSubject } from '../subjects/read-subject.ts'
import { listedPermissions, readSubjectRow } from '../subjects/subject-record.ts'
import { addRule, tokensUntilMs } from './add-rule.ts'
import { type Receipt, receiptOf } from './receipt.ts'
import { loadRule, readRule } from './rule-row.ts'
import { withReach } from './with-reach.ts'

interface LiftBanArgs {
  readonly projectId: string
  readonly id: string
}

/** What is not bounded may come to hold anything. */
const UNBOUNDED: readonly string[] = ['*:*']

/**
 * Lifts a ban: what is issued from now on lives. What was issued before stays dead, by an *all so far* rule at the
 * lift's position (rule V1), whose receipt this answers. Throws `not_found` for a ban that was lifted before, and
 * `invalid_request` for what is no ban: nothing else is undone.
 */
export async function liftBan(scope: Scope, id: string): Promise<Receipt> {
  const args = { projectId: scope.projectId, id }
  return withReach(scope, await scope.writer.run('lift-ban', args, scope.actor))
}

export const liftBanCommand: Command<LiftBanArgs, Receipt> = async (context, { projectId, id }) => {
  const rights = await authorize(context, projectId, 'revocations:write')
  const row = await loadRule({ db: context.db, projectId }, id)
  if (row.lifted_at_ms !== null) throw new CodedError('not_found', 'The ban was lifted already.')
  if (row.ban === 0)
    throw new CodedError('invalid_request', 'A revocation is for good; only a ban can be lifted.')
  const ban = readRule(row)
  requireGrants(rights, await permissionsWithin(context, projectId, ban), 'what was banned')

  await context.db
    .updateTable('revocations')
    .set({ lifted_at_ms: context.nowMs })
    .where('id', '=', id)
    .execute()
  // The rule that stays behind is told first: at no moment is there neither.
  const rule = await addRule(context, projectId, {
    ...ban,
    ban: false,
    issuedBeforeMs: null,
    tokensUntilMs: tokensUntilMs(context.nowMs),
    reason: 'ban lifted',
  })
  await context.emit(projectId, { type: 'lift', ruleId: id })
  await context.audit({
    projectId,
    action: 'revocation.lift',
    target: id,
    detail: { kind: ban.kind, target: ban.target, only: ban.only, left: rule.id },
  })
  return receiptOf(rule)
}

/**
 * What the lift lets be held again. It revives no credential, but it is the same to the banned as clearing `disabled` is to
 * a subject: rule M3 asks for grants that cover the bound which remains. A subject is bounded by its record; a subject
 * without one, a client and the whole project are bounded by nothing. So who may hand out little can ban in an emergency,
 * and somebody who may hand out more decides on the way back.
 */
async function permissionsWithin(
  { db }: CommandContext,
  projectId: string,
  ban: RevocationRule,
): Promise<readonly string[]> {
  if (ban.kind !== 'subject') return UNBOUNDED
  const place = { db, projectId }
  const record = await findSubject(place, ban.target)
  const bound = await listedPermissions(place, record === undefined ? null : readSubjectRow(record))
  return bound ?? UNBOUNDED
}
