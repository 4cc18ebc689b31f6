/** What a bounded cache holds: it notes that it was asked for, so that eviction can spare it. */
export interface Evictable {
  recent: boolean
}

/**
 * A map of fixed capacity. When full it evicts the oldest entry that nobody asked for since its last turn
 * (second chance), so that a flood of one-time credentials does not push out those in daily use.
 */
export class BoundedCache<Key, Entry extends Evictable> {
  readonly #entries = new Map<Key, Entry>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: Key): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry !== undefined) entry.recent = true
    return entry
  }

  set(key: Key, entry: Entry): void {
    if (this.#entries.size >= this.#capacity && !this.#entries.has(key)) this.#makeRoom()
    this.#entries.set(key, entry)
  }

  delete(key: Key): void {
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  /** Looks at each spared entry at most once, and then evicts the oldest whatever its use. */
  #makeRoom(): void {
    let looks = this.#entries.size
    while (this.#entries.size >= this.#capacity) {
      const [oldest] = this.#entries
      if (oldest === undefined) return
      const [key, entry] = oldest
      this.#entries.delete(key)
      if (!entry.recent || looks-- <= 0) continue
      entry.recent = false
      this.#entries.set(key, entry)
    }
  }
}
