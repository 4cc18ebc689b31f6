import { compileIpAllow, type IpAllow } from '../access/ip-allow.ts'
import type { SubjectRecord } from '../changes/change.ts'
import type { Position } from '../changes/position.ts'
import type { LimitHolder } from '../limits/limit-keeper.ts'
import { limitHolders } from '../limits/limited-verdict.ts'
import type { KeyRecord } from '../source/source.ts'
import type { Principal } from '../verdict.ts'
import { CredentialEntry } from './credential-entry.ts'
import { formatInstant } from './format-instant.ts'
import type { Grant } from './grant.ts'
import type { LiveRights } from './live-rights.ts'
import type { ProjectFacts } from './project-facts.ts'
import type { CredentialState } from './standing.ts'

/** An API key that the authority knows, as it is cached under the digest of its text. */
export class KeyCredential extends CredentialEntry {
  readonly kind = 'key'
  readonly record: KeyRecord
  /** The position of the snapshot it was read in: changes up to there are in it (rule F2). */
  readonly position: Position
  override readonly ipAllow: IpAllow | null
  override readonly suspended: boolean

  constructor(
    record: KeyRecord,
    { digest, position }: { readonly digest: string; readonly position: Position },
    grant: Grant,
  ) {
    super({ foundBy: digest, id: record.id, subject: record.subject, grant, audience: null })
    this.record = record
    this.position = position
    this.suspended = record.suspended === true
    this.ipAllow = record.ipAllow === null ? null : compileIpAllow(record.ipAllow)
  }

  override get usedKeyId(): string {
    return this.id
  }

  protected override stateBy(facts: ProjectFacts, subject: SubjectRecord | undefined): CredentialState {
    const { record } = this
    return {
      revoked: record.revoked || record.secret.revoked || facts.rules.killsKey(record),
      disabled: record.disabled || this.suspended || subject?.disabled === true,
      acceptedUntilMs: Number.POSITIVE_INFINITY,
      secretUntilMs: record.secret.validUntilMs ?? Number.POSITIVE_INFINITY,
      expiresAtMs: record.expiresAtMs ?? Number.POSITIVE_INFINITY,
      notBeforeMs: record.notBeforeMs ?? Number.NEGATIVE_INFINITY,
      proofRequired: false,
    }
  }

  protected override holdersBy(
    _facts: ProjectFacts,
    subject: SubjectRecord | undefined,
  ): readonly LimitHolder[] | null {
    return limitHolders(
      { id: this.id, limits: this.record.limits },
      { id: this.subject, limits: subject?.limits },
    )
  }

  protected override describe(
    facts: ProjectFacts,
    subject: SubjectRecord | undefined,
    rights: LiveRights,
  ): Principal {
    const { record } = this
    return Object.freeze({
      ok: true,
      kind: 'key',
      id: record.id,
      project: facts.project,
      subject: record.subject,
      roles: rights.roles,
      permissions: rights.permissions,
      scopes: this.grant.scopes ?? undefined,
      expiresAt: record.expiresAtMs === null ? null : formatInstant(record.expiresAtMs),
      metadata: Object.freeze({ ...subject?.metadata, ...record.metadata }),
      management: record.management && Object.freeze(record.management),
    })
  }
}
