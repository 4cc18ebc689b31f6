import type { IpAllow } from '../access/ip-allow.ts'
import type { PermissionQuery } from '../access/permission-query.ts'
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
  lastUsedAtMs = 0
  /** Asked for since the cache last looked for something to evict. */
  recent = false

  #standing: Standing | undefined
  #version = -1
  #query: PermissionQuery | undefined
  #satisfied = false

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
      this.#query = undefined
    }
    return this.#standing
  }

  /** Whether the credential's permissions satisfy the query; remembers the last answer. */
  satisfies(query: PermissionQuery, standing: Standing): boolean {
    if (this.#query !== query) {
      this.#satisfied = query.isSatisfiedBy(standing.principal.permissions)
      this.#query = query
    }
    return this.#satisfied
  }

  protected abstract workOut(facts: ProjectFacts): Standing
}
