/** What is cached: found by a text, and spared by eviction when it was asked for. */
export interface Cached {
  /** A token's whole text; the digest of a key's. */
  readonly foundBy: string
  recent: boolean
}

/** How many characters of the text's end are looked at, without the last, of which only some bits count. */
const SAMPLE_LENGTH = 8
const MIN_SLOTS = 64
/** Of each process its own: nobody can choose texts that crowd together. */
const FACTOR = Math.floor(Math.random() * 2 ** 32) | 1

/**
 * Credentials by their text, at most so many. They are found by an integer made of the text's last characters, which
 * those of a digest or a signature are random enough for, and then by comparison of the whole text. That costs a part
 * of what a `Map` does, which hashes the whole text.
 *
 * When it is full it evicts the oldest entry that nobody asked for since its last turn (second chance), so that a
 * flood of one-time credentials does not push out those in daily use.
 */
export class CredentialCache<Entry extends Cached> {
  readonly #capacity: number
  /** Oldest first from the hand on. */
  readonly #ring: (Entry | undefined)[] = []
  /** Places in the ring that are empty. */
  readonly #holes: number[] = []
  /** Where the next to be evicted is looked for. */
  #hand = 0
  /** Open addressing: of each slot the integer of an entry's text. */
  #hashes = new Int32Array(MIN_SLOTS)
  /** And its place in the ring, counted from 1; 0: the slot was never used; -1: it is free again. */
  #places = new Int32Array(MIN_SLOTS)
  /** How many slots were used; at most half of them, so that a search ends soon. */
  #used = 0

  constructor(capacity: number) {
    this.#capacity = Math.max(1, capacity)
  }

  get size(): number {
    return this.#ring.length - this.#holes.length
  }

  get(text: string): Entry | undefined {
    const entry = this.#ring[this.#placeIn(this.#find(text)) - 1]
    if (entry !== undefined) entry.recent = true
    return entry
  }

  /** Puts it in, in the place of one that was found by the same text. */
  set(entry: Entry): void {
    this.delete(entry.foundBy)
    if (this.size >= this.#capacity) this.#evict()
    if (2 * this.#used >= this.#places.length) this.#rebuild()
    const place = this.#holes.pop() ?? this.#ring.length
    this.#ring[place] = entry
    this.#link(hashOf(entry.foundBy), place + 1)
  }

  delete(text: string): void {
    const slot = this.#find(text)
    const place = this.#placeIn(slot) - 1
    if (place < 0) return
    this.#ring[place] = undefined
    this.#holes.push(place)
    this.#places[slot] = -1
  }

  clear(): void {
    this.#ring.length = this.#holes.length = this.#hand = 0
    this.#rebuild()
  }

  /** The slot of what is found by the text, or the one in which the search ends. */
  #find(text: string): number {
    const hash = hashOf(text)
    const hashes = this.#hashes
    const places = this.#places
    const mask = places.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = places[slot] ?? 0
      if (place === 0) return slot
      if (hashes[slot] === hash && this.#ring[place - 1]?.foundBy === text) return slot
    }
  }

  /** Looks at each spared entry at most once, and then evicts the oldest whatever its use. */
  #evict(): void {
    for (let looks = this.#ring.length; ; looks--) {
      const entry = this.#ring[this.#hand]
      this.#hand = (this.#hand + 1) % this.#ring.length
      if (entry === undefined) continue
      if (!entry.recent || looks <= 0) {
        this.delete(entry.foundBy)
        return
      }
      entry.recent = false
    }
  }

  /** Takes a slot of which nothing is found; one that is free again stays counted. */
  #link(hash: number, place: number): void {
    const mask = this.#places.length - 1
    let slot = hash & mask
    while (this.#placeIn(slot) > 0) slot = (slot + 1) & mask
    if (this.#places[slot] === 0) this.#used++
    this.#hashes[slot] = hash
    this.#places[slot] = place
  }

  /** Makes all slots anew, a quarter of them used. */
  #rebuild(): void {
    const hashes = this.#hashes
    const places = this.#places
    let slots = MIN_SLOTS
    while (slots < 4 * this.size) slots *= 2
    this.#hashes = new Int32Array(slots)
    this.#places = new Int32Array(slots)
    this.#used = 0
    for (const [slot, place] of places.entries()) {
      if (this.#ring[place - 1] !== undefined) this.#link(hashes[slot] ?? 0, place)
    }
  }

  #placeIn(slot: number): number {
    return this.#places[slot] ?? 0
  }
}

function hashOf(text: string): number {
  let hash = 0
  for (let index = text.length - 1 - SAMPLE_LENGTH; index < text.length - 1; index++) {
    hash = (Math.imul(hash, FACTOR) + text.charCodeAt(index)) | 0
  }
  return hash ^ (hash >>> 16)
}
