export { coversAll, effectivePermissions } from './access/effective-permissions.ts'
export { type CidrBlock, parseIp } from './access/ip-allow.ts'
export { type CidrFault, parseCidr } from './access/parse-cidr.ts'
export { covers, intersectPatterns, isPermission } from './access/permission.ts'
export { type PermissionQuery, parsePermissionQuery, type QueryFault } from './access/permission-query.ts'
export { OPENID_SCOPES, readScopes, type Scopes } from './access/scopes.ts'
export type {
  Change,
  ClientFact,
  Fact,
  ImportFact,
  IssuersFact,
  KeyFact,
  KeyShapeFact,
  LiftFact,
  RevocationFact,
  RevocationKind,
  RevocationRule,
  RoleFact,
  SigningKeyFact,
  SubjectFact,
  SubjectRecord,
} from './changes/change.ts'
export {
  comparePositions,
  formatPosition,
  isBefore,
  type Position,
  parsePosition,
} from './changes/position.ts'
export { type SigningKeyHandle, sha256, type VerificationKeyHandle } from './crypto.ts'
export { createVerifier, type EdgeVerifierOptions } from './edge/create-verifier.ts'
export type { EdgeEvent } from './edge/edge-event.ts'
export { EdgeError } from './edge/edge-transport.ts'
export type { EdgeStatistics, EdgeVerifier } from './edge/edge-verifier.ts'
export { findTerm, GLOSSARY, type Term } from './inspect/glossary.ts'
export { inspect } from './inspect/inspect.ts'
export type {
  Check,
  CheckName,
  CredentialKind,
  Decoded,
  Inspection,
  InspectRequest,
  Remedy,
} from './inspect/inspection.ts'
export { BASE62 } from './keys/base62.ts'
export {
  KEY_SHAPE_MAX_LENGTH,
  type KeyShape,
  KeyShapes,
  keyShapeBits,
  keyShapeFault,
} from './keys/key-shape.ts'
export {
  formatKeyString,
  isKeyPrefix,
  isRefreshTokenPrefix,
  isReservedKeyPrefix,
  KEY_LOCATOR_LENGTH,
  KEY_PATTERN,
  KEY_SECRET_LENGTH,
  type KeyString,
  looksLikeKeyString,
  parseKeyString,
  REFRESH_TOKEN_SUFFIX,
} from './keys/key-string.ts'
export {
  type LimitFigure,
  type LimitHolder,
  type LimitKeeper,
  NO_COUNTERS,
  type Spend,
  type Spending,
} from './limits/limit-keeper.ts'
export { type Limits, QUOTA_NAME, type Quota, type RateLimit, type Refill } from './limits/limits.ts'
export { type BearerChallenge, formatBearerChallenge } from './middleware/bearer-challenge.ts'
export { headerValues, readPresentedCredential } from './middleware/presented-credential.ts'
export { addSnapshotRules } from './revocation/add-snapshot-rules.ts'
export { type KeyIdentity, RevocationRules, type TokenIdentity } from './revocation/revocation-rules.ts'
export type { KeyFill, KeyRecord, Sink, Snapshot, Source } from './source/source.ts'
export {
  ALGORITHMS,
  type AlgorithmTraits,
  isSigningAlgorithm,
  type SigningAlgorithm,
} from './tokens/algorithms.ts'
export { MAX_TOKEN_LIFE_SECONDS } from './tokens/claims.ts'
export {
  HEADER_ALGORITHMS,
  type HeaderAlgorithm,
  isHeaderAlgorithm,
  signingAlgorithmOf,
} from './tokens/header-algorithms.ts'
export { MAX_CREDENTIAL_BYTES } from './tokens/parse-token.ts'
export { readPlainObject } from './tokens/plain-payload.ts'
export { RESERVED_CLAIMS } from './tokens/reserved-claims.ts'
export { SIGNING_TRAITS, type SigningTraits } from './tokens/signing-traits.ts'
export { parseStrictJson } from './tokens/strict-json.ts'
export { prepareVerificationKey, type VerificationKey } from './tokens/verification-key.ts'
export {
  type Principal,
  type Refusal,
  refuse,
  VERDICT_CODES,
  type Verdict,
  type VerdictCode,
  type VerdictStatus,
} from './verdict.ts'
export { formatInstant } from './verifier/format-instant.ts'
export { type Identification, identify } from './verifier/identify.ts'
export { ISSUED_AT_MARK, type Parent, SIGNING_KEY_MARK } from './verifier/parent.ts'
export type { UseCount, VerdictCount } from './verifier/use-counts.ts'
export { Verifier, type VerifierOptions, type VerifierStatistics } from './verifier/verifier.ts'
export { verifyParent } from './verifier/verify-parent.ts'
export { ANY_AUDIENCE, type VerifyRequest } from './verifier/verify-request.ts'
export type { ChangesPage, FeedEnd, FeedHello, FeedReset } from './wire/feed.ts'
export type { LeaseAnswer, LeaseRequest } from './wire/lease.ts'
export type {
  LimitCall,
  LimitLeaseAnswer,
  LimitLeaseRequest,
  LimitPart,
  ReturnedUnits,
} from './wire/limit-lease.ts'
export type { ResolveAnswer, ResolveRequest } from './wire/resolve.ts'
export type { SnapshotEnd, SnapshotHead, SnapshotRules } from './wire/snapshot-lines.ts'
export type { UsageReport } from './wire/usage.ts'
