export type {
  Change,
  ClientFact,
  Fact,
  IssuersFact,
  KeyFact,
  LiftFact,
  RevocationFact,
  RevocationKind,
  RevocationRule,
  RoleFact,
  SigningKeyFact,
  SubjectFact,
  SubjectRecord,
} from './changes/change.ts'
export { comparePositions, formatPosition, isBefore, type Position, parsePosition } from './changes/position.ts'
export type { KeyFill, KeyRecord, Sink, Snapshot, Source } from './source/source.ts'
export { type Principal, type Refusal, VERDICT_CODES, type Verdict, type VerdictCode, type VerdictStatus } from './verdict.ts'
