import type { LimitHolder } from '../limits/limit-keeper.ts'

/** One call's limits, of which parts are wanted. */
export interface LimitCall {
  readonly holders: readonly Pick<LimitHolder, 'kind' | 'id'>[]
  /** What one call spends. */
  readonly cost: number
  /** What all that wait spend together. */
  readonly wanted: number
}

/** Units that were set aside and not spent. */
export interface ReturnedUnits {
  readonly of: 'key' | 'subject'
  readonly id: string
  readonly name: string
  readonly units: number
  readonly endsAtMs: number | null
}

/** The body of `POST /v1/limits/lease` (rule Q3): at most 100 calls. */
export interface LimitLeaseRequest {
  readonly verifier: { readonly id: string }
  readonly calls: readonly LimitCall[]
  readonly returned?: readonly ReturnedUnits[]
}

/** A part of one limit. */
export interface LimitPart {
  readonly of: 'key' | 'subject'
  /** Whose it is. */
  readonly id: string
  readonly name: string
  readonly limit: number
  /** What may be spent until the period ends. */
  readonly granted: number
  /** What is left for others. */
  readonly remaining: number
  /** Epoch milliseconds; null: never. */
  readonly endsAtMs: number | null
}

export interface LimitLeaseAnswer {
  /** In the order of the calls. A holder without limits has no parts. */
  readonly calls: readonly { readonly parts: readonly LimitPart[] }[]
}
