import type { IpAllow } from '../access/ip-allow.ts'
import type { SubjectRecord } from '../changes/change.ts'
import type { LimitHolder } from '../limits/limit-keeper.ts'
import { type Principal, type Refusal, refuse } from '../verdict.ts'
import type { Cached } from './credential-cache.ts'
import type { Grant } from './grant.ts'
import { LiveRights } from './live-rights.ts'
import type { Parent } from './parent.ts'
import type { ProjectFacts } from './project-facts.ts'
import { type CredentialState, type Standing, soundFromSeconds, soundUntilSeconds } from './standing.ts'

const NO_RIGHTS = new LiveRights([], [])
/** Before it was worked out for the first time. */
const UNKNOWN = refuse('unknown', '')

/**
 * A credential that was recognised: what it says of itself, never whether it may pass. That is its
 * {@link Standing}, kept here until the facts change.
 */
export abstract class CredentialEntry implements Standing, Cached {
  // What every verdict looks at stands together, so that few lines of memory are fetched for it.
  /** Asked for since the cache last looked for something to evict. */
  recent = false
  readonly foundBy: string
  version = -1
  soundFromSeconds = 0
  soundUntilSeconds = 0
  /** Tokens: `aud`. Null: keys, which have none. */
  readonly audience: readonly string[] | null
  /** Null: from anywhere. */
  readonly ipAllow: IpAllow | null = null
  rights: LiveRights = NO_RIGHTS
  /** Whose limits a call spends, as of the last {@link standing}. Null: nobody's. */
  limitHolders: readonly LimitHolder[] | null = null
  /** Verifications that passed since they were last collected. */
  uses = 0
  /** The address that those uses came from. */
  usedFrom: string | undefined = undefined
  principal: Principal | Refusal = UNKNOWN
  readonly id: string
  readonly subject: string
  /** Roles, permissions and scopes as they were granted. */
  readonly grant: Grant
  abstract readonly kind: 'key' | 'token'
  /** Disabled since a restore, with all others from before it (rule B1). */
  readonly suspended: boolean = false

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
    if (this.version !== facts.version) this.#workOut(facts)
    return this
  }

  /** What stands against it, in full: for the seldom case that something does. */
  state(facts: ProjectFacts): CredentialState {
    return this.stateBy(facts, facts.subjectRecord(this.subject))
  }

  /** The key that its uses count for: a token's is the client it was issued to. Empty: none. */
  abstract get usedKeyId(): string

  /** What a token inherits that is derived from it, now that it was found to pass as this principal. */
  abstract asParent(principal: Principal, facts: ProjectFacts): Parent

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

  #workOut(facts: ProjectFacts): void {
    const subject = facts.subjectRecord(this.subject)
    const state = this.stateBy(facts, subject)
    const rights = this.grant.rights(subject, facts)
    this.principal = this.describe(facts, subject, rights)
    this.rights = rights
    this.soundFromSeconds = soundFromSeconds(state)
    this.soundUntilSeconds = soundUntilSeconds(state)
    this.limitHolders = this.holdersBy(facts, subject)
    this.version = facts.version
  }
}
