import { compileIpAllow, type IpAllow } from '../access/ip-allow.ts'
import type { Position } from '../changes/position.ts'
import type { KeyFill, KeyRecord } from '../source/source.ts'
import { CredentialEntry } from './credential-entry.ts'
import type { ProjectFacts } from './project-facts.ts'
import { liveRights } from './rights.ts'
import { makeStanding, type Standing } from './standing.ts'

/** An API key that the authority knows, as it is cached under the digest of its text. */
export class KeyCredential extends CredentialEntry {
  readonly kind = 'key'
  readonly record: KeyRecord
  /** The position of the snapshot it was read in: changes up to there are in it (rule F2). */
  readonly position: Position
  override readonly ipAllow: IpAllow | null

  constructor(record: KeyRecord, fill: KeyFill) {
    super(record.id)
    this.record = record
    this.position = fill.position
    this.ipAllow = record.ipAllow === null ? null : compileIpAllow(record.ipAllow)
  }

  protected override workOut(facts: ProjectFacts): Standing {
    const { record } = this
    const subject = facts.subjectRecord(record.subject)
    const rights = liveRights(record, subject, facts)
    return makeStanding({
      rights,
      principal: Object.freeze({
        ok: true,
        kind: 'key',
        id: record.id,
        project: facts.project,
        subject: record.subject,
        roles: rights.roles,
        permissions: rights.permissions,
        ...(record.scopes === null ? {} : { scopes: Object.freeze(record.scopes) }),
        expiresAt: record.expiresAtMs === null ? null : new Date(record.expiresAtMs).toISOString(),
        metadata: Object.freeze({ ...subject?.metadata, ...record.metadata }),
        ...(record.management === undefined ? {} : { management: Object.freeze(record.management) }),
      }),
      revoked: record.revoked || record.secret.revoked || facts.rules.killerOfKey(record) !== undefined,
      disabled: record.disabled || subject?.disabled === true,
      acceptedUntilMs: Number.POSITIVE_INFINITY,
      secretUntilMs: record.secret.validUntilMs ?? Number.POSITIVE_INFINITY,
      expiresAtMs: record.expiresAtMs ?? Number.POSITIVE_INFINITY,
      notBeforeMs: record.notBeforeMs ?? Number.NEGATIVE_INFINITY,
      proofRequired: false,
    })
  }
}
