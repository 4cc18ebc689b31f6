import type { Change } from '../changes/change.ts'
import type { Position } from '../changes/position.ts'
import type { KeyFill, Snapshot } from '../source/source.ts'
import type { ChangesPage, FeedHello } from '../wire/feed.ts'
import type { LeaseAnswer, LeaseRequest } from '../wire/lease.ts'
import type { LimitLeaseAnswer, LimitLeaseRequest } from '../wire/limit-lease.ts'
import type { UsageReport } from '../wire/usage.ts'

/** Who is told what the feed says, as it comes. What it throws ends the stream. */
export interface FeedListener {
  hello(hello: FeedHello): void
  change(change: Change): void
  /** The place is not known any more: a snapshot is needed. */
  reset(): void
  /** The reader may not read on. */
  end(code: string): void
  /** Something came, be it a heartbeat. */
  heard(): void
}

/**
 * What a verifier at the edge asks of a Claviger server. Whatever it asks rejects with an {@link EdgeError} when there
 * is no answer, and when its signal aborts.
 */
export interface EdgeTransport {
  /** `keep` is given each line, so that it can be read again later. */
  readSnapshot(signal: AbortSignal, keep?: (line: string) => void): Promise<Snapshot>
  readChanges(after: Position, signal: AbortSignal): Promise<ChangesPage>
  /** Reads the feed from right after the position. Resolves when the stream has ended. */
  follow(after: Position, listener: FeedListener, signal: AbortSignal): Promise<void>
  askLease(request: LeaseRequest, signal: AbortSignal): Promise<LeaseAnswer>
  releaseLease(verifierId: string, signal: AbortSignal): Promise<void>
  /** In the order of the digests, of which there are at most 100. */
  resolveKeys(digests: readonly string[], signal: AbortSignal): Promise<readonly KeyFill[]>
  leaseLimits(request: LimitLeaseRequest, signal: AbortSignal): Promise<LimitLeaseAnswer>
  reportUsage(report: UsageReport, signal: AbortSignal): Promise<void>
}

/** Why a server gave no answer that a verifier can use. */
export class EdgeError extends Error {
  override readonly name = 'EdgeError'
  /** The server's own code, or `unreachable`, or `protocol` for what no Claviger server answers. */
  readonly code: string
  /** The server has answered, and said no: its answer stays the same until somebody changes something. */
  readonly refused: boolean

  constructor(code: string, message: string, { refused = false }: { refused?: boolean } = {}) {
    super(message)
    this.code = code
    this.refused = refused
  }
}

/** What went wrong, as an {@link EdgeError}. */
export function edgeErrorOf(error: unknown): EdgeError {
  if (error instanceof EdgeError) return error
  return new EdgeError('unreachable', messageOf(error))
}

/** `fetch` itself says only that it failed; why is in the cause. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message
}
