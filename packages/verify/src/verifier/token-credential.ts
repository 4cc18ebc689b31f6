import type { SubjectRecord } from '../changes/change.ts'
import type { Position } from '../changes/position.ts'
import type { LimitHolder } from '../limits/limit-keeper.ts'
import { limitHolders } from '../limits/limited-verdict.ts'
import { type Claims, MAX_TOKEN_LIFE_SECONDS } from '../tokens/claims.ts'
import type { Principal } from '../verdict.ts'
import { CredentialEntry } from './credential-entry.ts'
import { formatInstant } from './format-instant.ts'
import type { Grant } from './grant.ts'
import type { LiveRights } from './live-rights.ts'
import { ISSUED_AT_MARK, SIGNING_KEY_MARK } from './parent.ts'
import type { ProjectFacts } from './project-facts.ts'
import type { CredentialState } from './standing.ts'

const NO_METADATA = Object.freeze({})

/**
 * A token whose signature was checked, as it is cached under its whole text. Of its claims it keeps what counts,
 * and shares with others what they have in common.
 */
export class TokenCredential extends CredentialEntry {
  readonly kind = 'token'
  readonly expiresAtMs: number
  readonly signingKeyId: string
  readonly parents: readonly string[]
  readonly pos: Position | null
  /** Of the first of its line. */
  readonly issuedAtMs: number
  readonly #issuer: string
  readonly #clientId: string | null
  readonly #sessionId: string | null
  readonly #notBeforeMs: number | null
  readonly #bound: boolean
  readonly #custom: Readonly<Record<string, unknown>>

  constructor(token: {
    text: string
    id: string
    /** As the facts have it: equal to the claim, and shared. */
    issuer: string
    signingKeyId: string
    claims: Claims
    grant: Grant
  }) {
    const { claims } = token
    super({
      foundBy: token.text,
      id: token.id,
      subject: claims.subject,
      grant: token.grant,
      audience: claims.audience,
    })
    this.expiresAtMs = claims.expiresAtMs
    this.#issuer = token.issuer
    this.signingKeyId = token.signingKeyId
    this.#clientId = claims.clientId
    this.#sessionId = claims.sessionId
    this.parents = claims.parents
    this.pos = claims.pos
    this.issuedAtMs = claims.parents.length === 0 ? claims.issuedAtMs : firstIssuedAtMs(claims)
    this.#notBeforeMs = claims.notBeforeMs
    this.#bound = claims.confirmation !== null
    this.#custom = claims.custom
  }

  override get usedKeyId(): string {
    return this.#clientId ?? ''
  }

  protected override stateBy(facts: ProjectFacts, subject: SubjectRecord | undefined): CredentialState {
    const revoked = facts.rules.killsToken({
      issuer: null,
      tokenId: this.id,
      subject: this.subject,
      clientId: this.#clientId,
      sessionId: this.#sessionId,
      parents: this.parents,
      pos: this.pos,
      issuedAtMs: this.issuedAtMs,
      skewMs: 0,
    })
    return {
      revoked,
      disabled:
        subject?.disabled === true ||
        (this.#clientId !== null && facts.isClientDisabled(this.#clientId)) ||
        (this.parents.length > 0 && this.parents.some((id) => facts.isClientDisabled(id))),
      acceptedUntilMs: this.#acceptedUntilMs(facts),
      secretUntilMs: Number.POSITIVE_INFINITY,
      expiresAtMs: this.#endMs(facts),
      notBeforeMs: this.#notBeforeMs ?? Number.NEGATIVE_INFINITY,
      proofRequired: this.#bound,
    }
  }

  /** A token from a key is counted with it: their counters are the same (rule V5). */
  protected override holdersBy(
    facts: ProjectFacts,
    subject: SubjectRecord | undefined,
  ): readonly LimitHolder[] | null {
    const clientId = this.#clientId
    return limitHolders(clientId === null ? null : { id: clientId, limits: facts.clientLimits(clientId) }, {
      id: this.subject,
      limits: subject?.limits,
    })
  }

  protected override describe(
    facts: ProjectFacts,
    subject: SubjectRecord | undefined,
    rights: LiveRights,
  ): Principal {
    return Object.freeze({
      ok: true,
      kind: 'token',
      id: this.id,
      project: facts.project,
      subject: this.subject,
      issuer: this.#issuer,
      audience: this.audience ?? undefined,
      clientId: this.#clientId ?? undefined,
      sessionId: this.#sessionId ?? undefined,
      roles: rights.roles,
      permissions: rights.permissions,
      scopes: this.grant.scopes ?? undefined,
      claims: this.#custom,
      expiresAt: formatInstant(this.#endMs(facts)),
      metadata: subject === undefined ? NO_METADATA : Object.freeze({ ...subject.metadata }),
    })
  }

  #acceptedUntilMs(facts: ProjectFacts): number {
    if (this.parents.length > 0 && this.parents.some((id) => isLostSigningKey(id, facts))) {
      return Number.NEGATIVE_INFINITY
    }
    if (facts.signingKey(this.signingKeyId) === undefined) return Number.NEGATIVE_INFINITY
    return facts.ownIssuer(this.#issuer)?.acceptedUntilMs ?? Number.NEGATIVE_INFINITY
  }

  /** Its `exp`; sooner where that is later than any token of its key may live (rule V7). */
  #endMs(facts: ProjectFacts): number {
    const usualMs = this.issuedAtMs + MAX_TOKEN_LIFE_SECONDS * 1000
    if (this.expiresAtMs <= usualMs) return this.expiresAtMs
    const lastMs = facts.signingKey(this.signingKeyId)?.tokensUntilMs ?? 0
    return Math.min(this.expiresAtMs, Math.max(usualMs, lastMs))
  }
}

/** Whether the id names a signing key that is not accepted any more: what it signed may have been forged. */
function isLostSigningKey(id: string, facts: ProjectFacts): boolean {
  return id.startsWith(SIGNING_KEY_MARK) && facts.signingKey(id.slice(SIGNING_KEY_MARK.length)) === undefined
}

/** A token is as old as what it was derived from: deriving spares nothing that is stolen (rule V2). Doubt is old. */
function firstIssuedAtMs({ issuedAtMs, parents }: Claims): number {
  let firstMs = issuedAtMs
  for (const entry of parents) {
    if (!entry.startsWith(ISSUED_AT_MARK)) continue
    const seconds = Number(entry.slice(ISSUED_AT_MARK.length))
    firstMs = Math.min(firstMs, Number.isFinite(seconds) ? seconds * 1000 : 0)
  }
  return firstMs
}
