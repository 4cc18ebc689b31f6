import { comparePositions, type Position } from '../changes/position.ts'
import type { KeyFill } from '../source/source.ts'
import { type Cached, CredentialCache } from './credential-cache.ts'
import type { GrantTable } from './grant-table.ts'
import { KeyCredential } from './key-credential.ts'

interface Fill {
  readonly result: Promise<KeyCredential | null>
  /** The last change since the fill began that touches this digest (rule F2). */
  touchedAt?: Position
  /** The last import since: it makes keys known, and changes none that are. */
  importedAt?: Position
}

/**
 * How a text came to be looked up: with a checksum that fits, or as one of a foreign shape, which any text of the
 * right letters has.
 */
export type KeyOrigin = 'own' | 'foreign'

/** What guesses of foreign shape may keep busy at once; a caller beyond that is told to come back. */
const MAX_FOREIGN_FILLS = 10_000

/** A key that changes more often than it can be read is no key to answer for. */
const MAX_FILL_ATTEMPTS = 5

/**
 * Keys by the digest of their text, filled one by one from the source. Absences are cached too, apart, so that
 * guesses cannot push out keys; those of foreign shape, which need no checksum to be guessed at, apart once more. Fills
 * of one digest that overlap are one fill.
 */
export class KeyCache {
  readonly #known: CredentialCache<KeyCredential>
  /** Digests that belong to no key. */
  readonly #absent: Readonly<Record<KeyOrigin, CredentialCache<Cached>>>
  /** By digest. No `Map`, for entries come and go without end (decision 0035). */
  readonly #filling: Record<string, Fill> = Object.create(null)
  readonly #fetchKey: (digest: string) => Promise<KeyFill>
  readonly #grants: GrantTable
  #fills = 0
  #foreignFills = 0

  constructor(options: {
    capacity: number
    absentCapacity: number
    fetchKey: (digest: string) => Promise<KeyFill>
    grants: GrantTable
  }) {
    this.#known = new CredentialCache(options.capacity)
    this.#absent = {
      own: new CredentialCache(options.absentCapacity),
      foreign: new CredentialCache(options.absentCapacity),
    }
    this.#fetchKey = options.fetchKey
    this.#grants = options.grants
  }

  get size(): number {
    return this.#known.size
  }

  /** How many texts are known to be no key. */
  get absences(): number {
    return this.#absent.own.size + this.#absent.foreign.size
  }

  /** How often the source was asked. */
  get fills(): number {
    return this.#fills
  }

  /** Null: known to be no key. Undefined: not known here. */
  get(digest: string): KeyCredential | null | undefined {
    const known = this.#known.get(digest)
    if (known !== undefined) return known
    const { own, foreign } = this.#absent
    return (own.get(digest) ?? foreign.get(digest)) && null
  }

  /** Asks the source. Rejects when it cannot answer, and when too many guesses are asked for already. */
  fetch(digest: string, origin: KeyOrigin): Promise<KeyCredential | null> {
    const running = this.#filling[digest]
    if (running !== undefined) return running.result
    const isForeign = origin === 'foreign'
    if (isForeign && this.#foreignFills >= MAX_FOREIGN_FILLS) {
      return Promise.reject(new Error('Too much is being asked for.'))
    }
    if (isForeign) this.#foreignFills++
    const fill: Fill = {
      result: Promise.resolve()
        .then(() => this.#fill(digest, fill, origin))
        .finally(() => {
          delete this.#filling[digest]
          if (isForeign) this.#foreignFills--
        }),
    }
    this.#fills++
    this.#filling[digest] = fill
    return fill.result
  }

  /** A change at `position` touches these digests: what is older is void, also what is on its way (rules F1, F2). */
  drop(digests: readonly string[], position: Position): void {
    for (const digest of digests) {
      const known = this.#known.get(digest)
      if (known !== undefined && comparePositions(known.position, position) < 0) this.#known.delete(digest)
      this.#absent.own.delete(digest)
      this.#absent.foreign.delete(digest)
      const fill = this.#filling[digest]
      if (fill !== undefined) fill.touchedAt = position
    }
  }

  /** Voids everything that was read at `position` or before, also what is on its way. */
  dropAll(position: Position): void {
    this.#known.clear()
    this.dropAbsent(position)
    for (const fill of Object.values(this.#filling)) fill.touchedAt = position
  }

  /** Keys came to be at `position`, it is not said which: whatever was no key before may be one (rule F1). */
  dropAbsent(position: Position): void {
    this.#absent.own.clear()
    this.#absent.foreign.clear()
    for (const fill of Object.values(this.#filling)) fill.importedAt = position
  }

  async #fill(digest: string, fill: Fill, origin: KeyOrigin): Promise<KeyCredential | null> {
    for (let attempt = 0; attempt < MAX_FILL_ATTEMPTS; attempt++) {
      const answer = await this.#fetchKey(digest)
      if (isOlder(answer, fill.touchedAt)) continue
      if (answer.key === null) {
        if (isOlder(answer, fill.importedAt)) continue
        this.#absent[origin].set({ foundBy: digest, recent: false })
        return null
      }
      const credential = new KeyCredential(
        answer.key,
        { digest, position: answer.position },
        this.#grants.share(answer.key),
      )
      this.#known.set(credential)
      return credential
    }
    throw new Error('It changes too often.')
  }
}

function isOlder({ position }: KeyFill, than: Position | undefined): boolean {
  return than !== undefined && comparePositions(position, than) < 0
}
