import type { ProjectUse } from './project-use.ts'
import { startOfSpan } from './resolutions.ts'

/** A minute, project and process keep so many different addresses and lists of tags apart; the others are one. */
const MAX_APART_A_MINUTE = 1_000

/** Keeps callers from making rows of usage at will: they choose addresses and tags. */
export class ApartBound {
  /** The addresses and lists of tags of the minute, by project. */
  readonly #apart = new Map<string, Set<string>>()
  #minute = 0

  /** The use with its address and its tags under `other`, where the minute has too many of them. */
  bound(use: ProjectUse): ProjectUse {
    const minute = startOfSpan(use.atMs, 'minute')
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#apart.clear()
    }
    const apart = this.#apart.get(use.projectId) ?? new Set()
    this.#apart.set(use.projectId, apart)
    const isApart = (value: string): boolean => {
      if (apart.size < MAX_APART_A_MINUTE) apart.add(value)
      return apart.has(value)
    }
    const ip = use.ip === '' || isApart(use.ip) ? use.ip : 'other'
    const tags = use.tags === '[]' || isApart(use.tags) ? use.tags : '["other"]'
    return { ...use, ip, tags }
  }
}
