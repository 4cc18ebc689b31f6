import { comparePositions, type Position } from '../changes/position.ts'
import type { KeyFill } from '../source/source.ts'
import { BoundedCache } from './bounded-cache.ts'
import type { GrantTable } from './grant.ts'
import { KeyCredential } from './key-credential.ts'

/** A digest that belongs to no key, as of a position. */
interface Absence {
  recent: boolean
}

interface Fill {
  readonly result: Promise<KeyCredential | null>
  /** The last change since the fill began that touches this digest (rule F2). */
  touchedAt: Position | undefined
}

/** A key that changes more often than it can be read is no key to answer for. */
const MAX_FILL_ATTEMPTS = 5

/**
 * Keys by the digest of their text, filled one by one from the source. Absences are cached too, apart, so that
 * guesses cannot push out keys. Fills of one digest that overlap are one fill.
 */
export class KeyCache {
  readonly #known: BoundedCache<string, KeyCredential>
  readonly #absent: BoundedCache<string, Absence>
  readonly #filling = new Map<string, Fill>()
  readonly #fetchKey: (digest: string) => Promise<KeyFill>
  readonly #grants: GrantTable
  #fills = 0

  constructor(options: {
    capacity: number
    absentCapacity: number
    fetchKey: (digest: string) => Promise<KeyFill>
    grants: GrantTable
  }) {
    this.#known = new BoundedCache(options.capacity)
    this.#absent = new BoundedCache(options.absentCapacity)
    this.#fetchKey = options.fetchKey
    this.#grants = options.grants
  }

  get size(): number {
    return this.#known.size
  }

  /** How many texts are known to be no key. */
  get absences(): number {
    return this.#absent.size
  }

  /** How often the source was asked. */
  get fills(): number {
    return this.#fills
  }

  /** Null: known to be no key. Undefined: not known here. */
  get(digest: string): KeyCredential | null | undefined {
    return this.#known.get(digest) ?? (this.#absent.get(digest) === undefined ? undefined : null)
  }

  /** Asks the source. Rejects when it cannot answer. */
  fetch(digest: string): Promise<KeyCredential | null> {
    const running = this.#filling.get(digest)
    if (running !== undefined) return running.result
    const fill: Fill = {
      result: Promise.resolve()
        .then(() => this.#fill(digest, fill))
        .finally(() => this.#filling.delete(digest)),
      touchedAt: undefined,
    }
    this.#fills++
    this.#filling.set(digest, fill)
    return fill.result
  }

  /** A change at `position` touches these digests: what is older is void, also what is on its way (rules F1, F2). */
  drop(digests: readonly string[], position: Position): void {
    for (const digest of digests) {
      const known = this.#known.get(digest)
      if (known !== undefined && comparePositions(known.position, position) < 0) this.#known.delete(digest)
      this.#absent.delete(digest)
      const fill = this.#filling.get(digest)
      if (fill !== undefined) fill.touchedAt = position
    }
  }

  /** Voids everything that was read at `position` or before, also what is on its way. */
  dropAll(position: Position): void {
    this.#known.clear()
    this.#absent.clear()
    for (const fill of this.#filling.values()) fill.touchedAt = position
  }

  async #fill(digest: string, fill: Fill): Promise<KeyCredential | null> {
    for (let attempt = 0; attempt < MAX_FILL_ATTEMPTS; attempt++) {
      const answer = await this.#fetchKey(digest)
      if (fill.touchedAt !== undefined && comparePositions(answer.position, fill.touchedAt) < 0) continue
      if (answer.key === null) {
        this.#absent.set(digest, { recent: false })
        return null
      }
      const credential = new KeyCredential(answer.key, answer, this.#grants.share(answer.key))
      this.#known.set(digest, credential)
      return credential
    }
    throw new Error('The key changed while it was being read, too often to answer for it.')
  }
}
