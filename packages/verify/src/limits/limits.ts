/** So many units in a window that opens with the first of them and closes `windowSeconds` later. */
export interface RateLimit {
  /** Its counter's identity, together with the holder and the window. */
  readonly name: string
  readonly limit: number
  readonly windowSeconds: number
}

/** When a quota is full again, by the UTC calendar. Null: never. */
export type Refill = 'hourly' | 'daily' | 'monthly' | null

export interface Quota {
  readonly limit: number
  readonly refill: Refill
}

/** What a key, or the record of a subject, limits. Neither empty `rates` nor a null quota limits anything. */
export interface Limits {
  readonly rates: readonly RateLimit[]
  readonly quota: Quota | null
}

/** The name that a quota has among the figures of a verdict; no rate limit may have it. */
export const QUOTA_NAME = 'quota'
