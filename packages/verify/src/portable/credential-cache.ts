import type { Cached } from '../verifier/credential-cache.ts'

/** In place of the table of our own, which is quicker and takes more code: a `Map`, in the order of eviction. */
export class CredentialCache<Entry extends Cached> {
  readonly #entries = new Map<string, Entry>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = Math.max(1, capacity)
  }

  get size(): number {
    return this.#entries.size
  }

  get(text: string): Entry | undefined {
    const entry = this.#entries.get(text)
    if (entry !== undefined) entry.recent = true
    return entry
  }

  set(entry: Entry): void {
    if (!this.#entries.has(entry.foundBy)) this.#makeRoom()
    this.#entries.set(entry.foundBy, entry)
  }

  delete(text: string): void {
    this.#entries.delete(text)
  }

  clear(): void {
    this.#entries.clear()
  }

  /** Looks at each spared entry at most once, and then evicts the oldest whatever its use. */
  #makeRoom(): void {
    let looks = this.size
    for (const [text, entry] of this.#entries) {
      if (this.size < this.#capacity) return
      this.#entries.delete(text)
      if (!entry.recent || looks-- <= 0) return
      entry.recent = false
      this.#entries.set(text, entry)
    }
  }
}
