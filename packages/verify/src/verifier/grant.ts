import type { SubjectRecord } from '../changes/change.ts'
import { type GrantedRights, isUnbounded, type LiveRights, liveRights } from './live-rights.ts'
import type { ProjectFacts } from './project-facts.ts'

/** Roles, permissions and scopes as they were granted to one credential or to many: frozen, and shared by all of them. */
export class Grant implements GrantedRights {
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  readonly scopes: readonly string[] | null
  #unbounded: LiveRights | undefined
  #version = -1

  constructor(granted: GrantedRights) {
    this.roles = Object.freeze([...granted.roles])
    this.permissions = Object.freeze([...granted.permissions])
    this.scopes = granted.scopes === null ? null : Object.freeze([...granted.scopes])
  }

  /** What it is worth now for a subject with this record. Where none bounds it, all share one answer. */
  rights(record: SubjectRecord | undefined, facts: ProjectFacts): LiveRights {
    if (!isUnbounded(record)) return liveRights(this, record, facts)
    if (this.#unbounded === undefined || this.#version !== facts.version) {
      this.#unbounded = liveRights(this, undefined, facts)
      this.#version = facts.version
    }
    return this.#unbounded
  }
}
