/**
 * The face of the portable build: what a verifier needs where there is no Node, such as in a Worker. It is bundled with
 * the files of this folder in place of their namesakes (see `tsdown.config.ts` of this package).
 */

// First, though nothing needs it first: what is alike then stands so near in the bundle that a compressor sees it.
import '../tokens/verification-key.ts'

export type { Change, Fact } from '../changes/change.ts'
export type { Position } from '../changes/position.ts'
export { createVerifier, type EdgeVerifierOptions } from '../edge/create-verifier.ts'
export type { EdgeEvent } from '../edge/edge-event.ts'
export { EdgeError } from '../edge/edge-transport.ts'
export type { EdgeStatistics, EdgeVerifier } from '../edge/edge-verifier.ts'
export { type LimitKeeper, NO_COUNTERS } from '../limits/limit-keeper.ts'
export type {
  Caller,
  Decision,
  ProtectionOptions,
  RequestVerifier,
  RouteRequirements,
} from '../middleware/protect.ts'
export type { KeyFill, KeyRecord, Sink, Snapshot, Source } from '../source/source.ts'
export {
  type Principal,
  type Refusal,
  VERDICT_CODES,
  type Verdict,
  type VerdictCode,
  type VerdictStatus,
} from '../verdict.ts'
export { Verifier, type VerifierOptions, type VerifierStatistics } from '../verifier/verifier.ts'
export { ANY_AUDIENCE, type VerifyRequest } from '../verifier/verify-request.ts'
