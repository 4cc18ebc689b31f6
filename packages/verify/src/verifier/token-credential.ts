import type { Claims } from '../tokens/claims.ts'
import { CredentialEntry } from './credential-entry.ts'
import { formatInstant } from './format-instant.ts'
import type { ProjectFacts } from './project-facts.ts'
import { liveRights } from './rights.ts'
import { makeStanding, type Standing } from './standing.ts'

const NO_METADATA = Object.freeze({})

/** A token whose signature was checked, as it is cached under its whole text. */
export class TokenCredential extends CredentialEntry {
  readonly kind = 'token'
  readonly text: string
  readonly claims: Claims
  readonly #signingKeyId: string

  constructor(token: { text: string; id: string; signingKeyId: string; claims: Claims }) {
    super(token.id)
    this.text = token.text
    this.claims = token.claims
    this.#signingKeyId = token.signingKeyId
  }

  override get audience(): readonly string[] {
    return this.claims.audience
  }

  protected override workOut(facts: ProjectFacts): Standing {
    const { claims } = this
    const subject = facts.subjectRecord(claims.subject)
    const rights = liveRights(claims, subject, facts)
    const killer = facts.rules.killerOfToken({
      issuer: null,
      tokenId: this.id,
      subject: claims.subject,
      clientId: claims.clientId,
      sessionId: claims.sessionId,
      pos: claims.pos,
      issuedAtMs: claims.issuedAtMs,
      skewMs: 0,
    })
    return makeStanding({
      rights,
      principal: Object.freeze({
        ok: true,
        kind: 'token',
        id: this.id,
        project: facts.project,
        subject: claims.subject,
        issuer: claims.issuer,
        audience: Object.freeze(claims.audience),
        clientId: claims.clientId ?? undefined,
        sessionId: claims.sessionId ?? undefined,
        roles: rights.roles,
        permissions: rights.permissions,
        scopes: claims.scopes === null ? undefined : Object.freeze(claims.scopes),
        claims: claims.custom,
        expiresAt: formatInstant(claims.expiresAtMs),
        metadata: subject === undefined ? NO_METADATA : Object.freeze({ ...subject.metadata }),
      }),
      revoked: killer !== undefined,
      disabled:
        subject?.disabled === true || (claims.clientId !== null && facts.isClientDisabled(claims.clientId)),
      acceptedUntilMs: this.#acceptedUntilMs(facts),
      secretUntilMs: Number.POSITIVE_INFINITY,
      expiresAtMs: claims.expiresAtMs,
      notBeforeMs: claims.notBeforeMs ?? Number.NEGATIVE_INFINITY,
      proofRequired: claims.confirmation !== null,
    })
  }

  #acceptedUntilMs(facts: ProjectFacts): number {
    if (facts.signingKey(this.#signingKeyId) === undefined) return Number.NEGATIVE_INFINITY
    return facts.issuerAcceptedUntilMs(this.claims.issuer) ?? Number.NEGATIVE_INFINITY
  }
}
