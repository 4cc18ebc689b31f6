import { type Principal, refuse, type Verdict } from '../verdict.ts'
import type { LimitHolder, Spending } from './limit-keeper.ts'
import type { Limits } from './limits.ts'

/** The verdict on a credential that may pass but for its limits, with their figures. */
export function limitedVerdict(principal: Principal, spending: Spending): Verdict {
  const limits = spending.figures
  if (spending.ok) return Object.freeze({ ...principal, limits })
  const { code, retryAfterSeconds } = spending
  const what = code === 'rate_limited' ? 'A rate limit' : 'The quota'
  const remedy =
    retryAfterSeconds === null
      ? 'Waiting does not help: ask whoever manages it for more.'
      : `Try again in ${retryAfterSeconds} s.`
  const refusal = refuse(
    code,
    `${what} of the credential leaves too little for this call. ${remedy}`,
    principal,
  )
  return Object.freeze({ ...refusal, limits, retryAfterSeconds })
}

/** Those of a key and its subject that have limits; null: none has, which is what most calls pay for. */
export function limitHolders(
  key: { readonly id: string; readonly limits: Limits | undefined } | null,
  subject: { readonly id: string; readonly limits: Limits | undefined },
): readonly LimitHolder[] | null {
  if (key?.limits === undefined && subject.limits === undefined) return null
  const holders: LimitHolder[] = []
  if (key?.limits !== undefined) holders.push({ kind: 'key', id: key.id, limits: key.limits })
  if (subject.limits !== undefined) holders.push({ kind: 'subject', id: subject.id, limits: subject.limits })
  return holders
}
