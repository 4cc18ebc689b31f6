/** The body of `POST /v1/changes/lease` (rule L2). */
export interface LeaseRequest {
  readonly verifier: {
    /** Random: no two verifiers have the same, nor one before and after a restart. */
    readonly id: string
    /** What people know it by. */
    readonly name?: string
  }
  /** Random, and new in each request. */
  readonly nonce: string
  /** `epoch:number`: how far the verifier has applied the feed. */
  readonly applied: string
  /** How long it may answer from its caches when nobody can be asked (rule L4). Absent: not at all. */
  readonly allowCachedSeconds?: number
  /** Numbers that are shown with the verifier. */
  readonly statistics?: Readonly<Record<string, number>>
}

export type LeaseAnswer = {
  /** As it was sent. */
  readonly nonce: string
  /** `epoch:number`, read after the nonce arrived. The lease holds once it is applied. */
  readonly head: string
  /** Epoch milliseconds of the authority (rule L5). */
  readonly atMs: number
  readonly node: string
} & (
  | {
      /** From the instant at which the nonce was sent. */
      readonly leaseSeconds: number
    }
  /** The verifier is of another epoch: it loads a snapshot first (rule E1). */
  | { readonly reset: true }
)
