import type { IpAllow } from '../access/ip-allow.ts'
import type { ProjectFacts } from './project-facts.ts'
import type { Standing } from './standing.ts'

/**
 * A credential that was recognised: what it says of itself, never whether it may pass. That is its
 * {@link Standing}, kept here with the version of the facts it was worked out from.
 */
export abstract class CredentialEntry {
  abstract readonly kind: 'key' | 'token'
  readonly id: string
  /** Null: from anywhere. */
  readonly ipAllow: IpAllow | null = null
  /** Verifications that passed since they were last collected. */
  uses = 0
  /** When the first of those uses was. */
  usedAtMs = 0
  /** Asked for since the cache last looked for something to evict. */
  recent = false

  #standing: Standing | undefined
  #version = -1

  constructor(id: string) {
    this.id = id
  }

  /** Tokens: `aud`. Null: keys, which have none. */
  get audience(): readonly string[] | null {
    return null
  }

  standing(facts: ProjectFacts): Standing {
    if (this.#standing === undefined || this.#version !== facts.version) {
      this.#standing = this.workOut(facts)
      this.#version = facts.version
    }
    return this.#standing
  }

  protected abstract workOut(facts: ProjectFacts): Standing
}
