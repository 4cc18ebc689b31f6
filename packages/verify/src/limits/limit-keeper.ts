import type { Limits } from './limits.ts'

/** Whose limits they are: counters belong to the key's id or to the subject, and to nothing that changes with either. */
export interface LimitHolder {
  readonly kind: 'key' | 'subject'
  readonly id: string
  readonly limits: Limits
}

export interface Spend {
  /** All of them are spent together, or none is (rule Q1). */
  readonly holders: readonly LimitHolder[]
  /** A non-negative integer; 0 looks without spending. */
  readonly cost: number
  /** Epoch milliseconds. */
  readonly nowMs: number
}

/** One limit after the call, as the verdict shows it. */
export interface LimitFigure {
  readonly of: 'key' | 'subject'
  readonly name: string
  readonly limit: number
  readonly remaining: number
  /** Until it is full again; null: never. */
  readonly resetSeconds: number | null
}

export type Spending =
  | { readonly ok: true; readonly figures: readonly LimitFigure[] }
  | {
      readonly ok: false
      readonly code: 'rate_limited' | 'quota_exceeded'
      readonly figures: readonly LimitFigure[]
      /** Null: waiting does not help. */
      readonly retryAfterSeconds: number | null
    }

/** Counts what is spent. Where the counters are is the source's affair: in this process, or parts on lease (rule Q3). */
export interface LimitKeeper {
  /** Spends all or nothing, at once. Undefined: that cannot be told from what is at hand, and nothing was spent. */
  spend(spend: Spend): Spending | undefined
  /** Brings to hand what {@link spend} lacked. Rejects when nobody can answer. */
  prepare(spend: Spend): Promise<void>
}

/** The keeper of a source that counts nothing: whatever has limits is `unavailable` there, since it cannot be counted. */
export const NO_COUNTERS: LimitKeeper = {
  spend: () => undefined,
  prepare: () => Promise.reject(new Error('This source counts no limits.')),
}
