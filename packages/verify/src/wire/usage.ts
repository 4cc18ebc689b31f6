import type { UseCount } from '../verifier/use-counts.ts'

/** The body of `POST /v1/usage`: 1 to 1,000 counts. */
export interface UsageReport {
  readonly verifier: { readonly id: string }
  /** Random. One that is sent again with the same id counts once. */
  readonly batch: string
  readonly counts: readonly UseCount[]
}
