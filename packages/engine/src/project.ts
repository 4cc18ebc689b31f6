import type { Change, Verdict, Verifier, VerifyRequest } from '@claviger/verify'
import { deleteAudience } from './audiences/delete-audience.ts'
import { listAudiences } from './audiences/list-audiences.ts'
import { putAudience } from './audiences/put-audience.ts'
import { readAudience } from './audiences/read-audience.ts'
import { listAuditEntries } from './audit/list-entries.ts'
import { pruneAudit } from './audit/prune-entries.ts'
import { readAuditKey } from './audit/read-audit-key.ts'
import { readAuditChain } from './audit/read-chain.ts'
import { verifyAudit } from './audit/verify-chain.ts'
import { grantLease, releaseLease } from './edge/grant-lease.ts'
import { listVerifiers } from './edge/list-verifiers.ts'
import { readChanges } from './edge/read-changes.ts'
import { resolveKeys } from './edge/resolve-keys.ts'
import { snapshotLines } from './edge/snapshot-lines.ts'
import type { Engine } from './engine.ts'
import { deleteKeyShape } from './key-shapes/delete-key-shape.ts'
import { listKeyShapes } from './key-shapes/list-key-shapes.ts'
import { putKeyShape } from './key-shapes/put-key-shape.ts'
import { readKeyShape } from './key-shapes/read-key-shape.ts'
import { changeKey } from './keys/change-key.ts'
import { createKey } from './keys/create-key.ts'
import { deleteKey } from './keys/delete-key.ts'
import { importKeys } from './keys/import-keys.ts'
import { listKeys } from './keys/list-keys.ts'
import { readKey } from './keys/read-key.ts'
import { revokeKey } from './keys/revoke-key.ts'
import { rotateKey } from './keys/rotate-key.ts'
import { leaseLimits } from './limits/lease-limits.ts'
import { changeManagementKey } from './management/change-management-key.ts'
import { createManagementKey } from './management/create-management-key.ts'
import { deleteManagementKey } from './management/delete-management-key.ts'
import { listManagementKeys } from './management/list-management-keys.ts'
import { readManagementKey } from './management/read-management-key.ts'
import { revokeManagementKey } from './management/revoke-management-key.ts'
import { rotateManagementKey } from './management/rotate-management-key.ts'
import { createRevocation, type RevocationScope } from './revocation/create-revocation.ts'
import { liftBan } from './revocation/lift-ban.ts'
import { listRevocations } from './revocation/list-revocations.ts'
import { readReceipt } from './revocation/read-receipt.ts'
import { deleteRole } from './roles/delete-role.ts'
import { listRoles } from './roles/list-roles.ts'
import { putRole } from './roles/put-role.ts'
import { readRole } from './roles/read-role.ts'
import { createSession } from './sessions/create-session.ts'
import { listSessions } from './sessions/list-sessions.ts'
import { readSession } from './sessions/read-session.ts'
import { refreshSession } from './sessions/refresh-session.ts'
import { revokeSession } from './sessions/revoke-session.ts'
import { createSigningKey } from './signing/create-signing-key.ts'
import { type Jwks, readJwks } from './signing/jwks.ts'
import { listSigningKeys } from './signing/list-signing-keys.ts'
import { readSigningKey } from './signing/read-signing-key.ts'
import { rotateSigningKey } from './signing/rotate-signing-key.ts'
import { readSigningSchedule, setSigningSchedule } from './signing/signing-schedule.ts'
import { deleteSubject } from './subjects/delete-subject.ts'
import { listSubjects } from './subjects/list-subjects.ts'
import { patchSubject } from './subjects/patch-subject.ts'
import { putSubject } from './subjects/put-subject.ts'
import { readSubject } from './subjects/read-subject.ts'
import { type MintScope, mintToken } from './tokens/mint-token.ts'
import { readUsage } from './usage/read-usage.ts'
import { reportUsage } from './usage/report-usage.ts'

/** The operations of a noun, bound to where and for whom they work. Their files say what they take and answer. */
interface Operations<Scope> {
  readonly [name: string]: (scope: Scope, ...input: never[]) => unknown
}

type Bound<Ops> = {
  readonly [Name in keyof Ops]: Ops[Name] extends (scope: never, ...input: infer Input) => infer Answer
    ? (...input: Input) => Answer
    : never
}

const KEYS = {
  create: createKey,
  list: listKeys,
  read: readKey,
  change: changeKey,
  rotate: rotateKey,
  revoke: revokeKey,
  delete: deleteKey,
  import: importKeys,
}
const KEY_SHAPES = { put: putKeyShape, list: listKeyShapes, read: readKeyShape, delete: deleteKeyShape }
const MANAGEMENT_KEYS = {
  create: createManagementKey,
  list: listManagementKeys,
  read: readManagementKey,
  change: changeManagementKey,
  rotate: rotateManagementKey,
  revoke: revokeManagementKey,
  delete: deleteManagementKey,
}
const ROLES = { put: putRole, list: listRoles, read: readRole, delete: deleteRole }
const SUBJECTS = {
  put: putSubject,
  patch: patchSubject,
  list: listSubjects,
  read: readSubject,
  delete: deleteSubject,
}
const AUDIENCES = { put: putAudience, list: listAudiences, read: readAudience, delete: deleteAudience }
const TOKENS = { mint: mintToken }
const SESSIONS = {
  create: createSession,
  refresh: refreshSession,
  list: listSessions,
  read: readSession,
  revoke: revokeSession,
}
const REVOCATIONS = { create: createRevocation, list: listRevocations, read: readReceipt, lift: liftBan }
const SIGNING_KEYS = {
  create: createSigningKey,
  list: listSigningKeys,
  read: readSigningKey,
  rotate: rotateSigningKey,
  readSchedule: readSigningSchedule,
  setSchedule: setSigningSchedule,
}
const AUDIT = {
  list: listAuditEntries,
  readChain: readAuditChain,
  verify: verifyAudit,
  readKey: readAuditKey,
  prune: pruneAudit,
}
const USAGE = { read: readUsage }
const EDGE = {
  readChanges,
  grantLease,
  releaseLease,
  resolveKeys,
  listVerifiers,
  leaseLimits,
  reportUsage,
}

/** Everything of one project, for one actor. Cheap to make: the server makes one a request. */
export class Project {
  readonly name: string
  readonly #scope: MintScope & RevocationScope
  readonly #engine: Engine

  constructor(scope: MintScope & RevocationScope, engine: Engine) {
    this.name = scope.project
    this.#scope = scope
    this.#engine = engine
  }

  get keys(): Bound<typeof KEYS> {
    return bind(this.#scope, KEYS)
  }

  /** The shapes of keys that were issued elsewhere, and are imported by their hashes. */
  get keyShapes(): Bound<typeof KEY_SHAPES> {
    return bind(this.#scope, KEY_SHAPES)
  }

  /** The management keys that are bound to this project; for root, all. */
  get managementKeys(): Bound<typeof MANAGEMENT_KEYS> {
    return bind(this.#scope, MANAGEMENT_KEYS)
  }

  get roles(): Bound<typeof ROLES> {
    return bind(this.#scope, ROLES)
  }

  get subjects(): Bound<typeof SUBJECTS> {
    return bind(this.#scope, SUBJECTS)
  }

  /** What tokens for an audience get unless the call says otherwise. */
  get audiences(): Bound<typeof AUDIENCES> {
    return bind(this.#scope, AUDIENCES)
  }

  get tokens(): Bound<typeof TOKENS> {
    return bind(this.#scope, TOKENS)
  }

  get sessions(): Bound<typeof SESSIONS> {
    return bind(this.#scope, SESSIONS)
  }

  get revocations(): Bound<typeof REVOCATIONS> {
    return bind(this.#scope, REVOCATIONS)
  }

  get signingKeys(): Bound<typeof SIGNING_KEYS> {
    return bind(this.#scope, SIGNING_KEYS)
  }

  get audit(): Bound<typeof AUDIT> {
    return bind(this.#scope, AUDIT)
  }

  get usage(): Bound<typeof USAGE> {
    return bind(this.#scope, USAGE)
  }

  /** What verifiers in other processes live on. */
  get edge(): Bound<typeof EDGE> {
    return bind(this.#scope, EDGE)
  }

  /** A snapshot of the facts, for a verifier in another process: chunks of lines (snapshot-lines.ts). */
  snapshotLines(): AsyncGenerator<string, void> {
    return snapshotLines({ ...this.#scope, databaseFile: this.#engine.databaseFile })
  }

  /** Tells of every change of the project from now on, in order; asks for no right. The answer stops that. */
  onChanges(listener: (change: Change) => void): () => void {
    return this.#engine.onChanges(this.#scope.projectId, listener)
  }

  /** The public signing keys (RFC 7517), for anyone. */
  jwks(): Promise<Jwks> {
    return readJwks(this.#scope.reader, this.#scope.projectId)
  }

  /** The verdict of the node's own verifier. It states no audience: a request that is about tokens must. */
  async verify(request: VerifyRequest): Promise<Verdict> {
    return this.#engine.verify(this.name, request)
  }

  /**
   * A verifier for this process, with caches of its own: make one and keep it. It is told of every change before
   * the call that made it returns.
   */
  verifier(options: { readonly audience?: string | readonly string[] } = {}): Promise<Verifier> {
    return this.#engine.openVerifier(this.name, options.audience)
  }
}

function bind<Scope, Ops extends Operations<Scope>>(scope: Scope, operations: Ops): Bound<Ops> {
  // A request makes them all anew: a plain loop costs a third of `entries` and `fromEntries`.
  const bound: Record<string, (...input: never[]) => unknown> = {}
  for (const name in operations) bound[name] = (...input) => operations[name]?.(scope, ...input)
  return bound as Bound<Ops>
}
