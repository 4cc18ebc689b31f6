import type { IpAllow } from '../access/ip-allow.ts'
import type { SubjectRecord } from '../changes/change.ts'
import type { LimitHolder } from '../limits/limit-keeper.ts'
import type { Principal } from '../verdict.ts'
import type { Cached } from './credential-cache.ts'
import type { Grant } from './grant.ts'
import type { LiveRights } from './live-rights.ts'
import type { ProjectFacts } from './project-facts.ts'
import { type CredentialState, type Standing, soundFromSeconds, soundUntilSeconds } from './standing.ts'

/**
 * A credential that was recognised: what it says of itself, never whether it may pass. That is its
 * {@link Standing}, kept here until the facts change.
 */
export abstract class CredentialEntry implements Cached {
  abstract readonly kind: 'key' | 'token'
  readonly foundBy: string
  readonly id: string
  readonly subject: string
  /** Roles, permissions and scopes as they were granted. */
  readonly grant: Grant
  /** Tokens: `aud`. Null: keys, which have none. */
  readonly audience: readonly string[] | null
  /** Null: from anywhere. */
  readonly ipAllow: IpAllow | null = null
  /** Disabled since a restore, with all others from before it (rule B1). */
  readonly suspended: boolean = false
  /** Verifications that passed since they were last collected. */
  uses = 0
  /** The address that those uses came from. */
  usedFrom: string | undefined = undefined
  /** Whose limits a call spends, as of the last {@link standing}. Null: nobody's. */
  limitHolders: readonly LimitHolder[] | null = null
  /** Asked for since the cache last looked for something to evict. */
  recent = false

  #standing: Standing | undefined

  constructor(given: {
    foundBy: string
    id: string
    subject: string
    grant: Grant
    audience: readonly string[] | null
  }) {
    this.foundBy = given.foundBy
    this.id = given.id
    this.subject = given.subject
    this.grant = given.grant
    this.audience = given.audience
  }

  standing(facts: ProjectFacts): Standing {
    const known = this.#standing
    return known !== undefined && known.version === facts.version ? known : this.#workOut(facts)
  }

  /** What stands against it, in full: for the seldom case that something does. */
  state(facts: ProjectFacts): CredentialState {
    return this.stateBy(facts, facts.subjectRecord(this.subject))
  }

  /** The key that its uses count for: a token's is the client it was issued to. Empty: none. */
  abstract get usedKeyId(): string

  protected abstract stateBy(facts: ProjectFacts, subject: SubjectRecord | undefined): CredentialState

  protected abstract holdersBy(
    facts: ProjectFacts,
    subject: SubjectRecord | undefined,
  ): readonly LimitHolder[] | null

  protected abstract describe(
    facts: ProjectFacts,
    subject: SubjectRecord | undefined,
    rights: LiveRights,
  ): Principal

  #workOut(facts: ProjectFacts): Standing {
    const subject = facts.subjectRecord(this.subject)
    const state = this.stateBy(facts, subject)
    const rights = this.grant.rights(subject, facts)
    const standing: Standing = {
      version: facts.version,
      principal: this.describe(facts, subject, rights),
      rights,
      soundFromSeconds: soundFromSeconds(state),
      soundUntilSeconds: soundUntilSeconds(state),
    }
    this.#standing = standing
    this.limitHolders = this.holdersBy(facts, subject)
    return standing
  }
}
