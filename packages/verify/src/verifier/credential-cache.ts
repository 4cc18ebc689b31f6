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
  /**
   * Open addressing, at most half full. Two numbers a slot: the integer of an entry's text, and its place in the ring
   * counted from 1; 0: the slot is free.
   */
  #slots = new Int32Array(2 * MIN_SLOTS)
  #mask = MIN_SLOTS - 1

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#ring.length - this.#holes.length
  }

  get(text: string): Entry | undefined {
    const hash = hashOf(text)
    const slots = this.#slots
    const mask = this.#mask
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = slots[2 * slot + 1] ?? 0
      if (place === 0) return undefined
      if (slots[2 * slot] !== hash) continue
      const entry = this.#ring[place - 1]
      if (entry?.foundBy !== text) continue
      entry.recent = true
      return entry
    }
  }

  /** Puts it in, in the place of one that was found by the same text. */
  set(entry: Entry): void {
    this.delete(entry.foundBy)
    if (this.size > 0 && this.size >= this.#capacity) this.#evict()
    const place = this.#holes.pop() ?? this.#ring.length
    this.#ring[place] = entry
    if (4 * this.size > this.#slots.length) this.#grow()
    this.#link(hashOf(entry.foundBy), place + 1)
  }

  delete(text: string): void {
    const slot = this.#slotOf(text)
    if (slot !== undefined) this.#remove(slot)
  }

  clear(): void {
    this.#ring.length = 0
    this.#holes.length = 0
    this.#hand = 0
    this.#slots = new Int32Array(2 * MIN_SLOTS)
    this.#mask = MIN_SLOTS - 1
  }

  #slotOf(text: string): number | undefined {
    const hash = hashOf(text)
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const place = this.#placeIn(slot)
      if (place === 0) return undefined
      if (this.#hashIn(slot) === hash && this.#ring[place - 1]?.foundBy === text) return slot
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

  #link(hash: number, place: number): void {
    let slot = hash & this.#mask
    while (this.#placeIn(slot) !== 0) slot = (slot + 1) & this.#mask
    this.#slots[2 * slot] = hash
    this.#slots[2 * slot + 1] = place
  }

  /** Frees the slot and its place, and moves up what would not be found past it. */
  #remove(slot: number): void {
    const place = this.#placeIn(slot) - 1
    this.#ring[place] = undefined
    this.#holes.push(place)
    let gap = slot
    for (let next = (slot + 1) & this.#mask; this.#placeIn(next) !== 0; next = (next + 1) & this.#mask) {
      const wanted = this.#hashIn(next) & this.#mask
      if (((next - wanted) & this.#mask) < ((next - gap) & this.#mask)) continue
      this.#slots.copyWithin(2 * gap, 2 * next, 2 * next + 2)
      gap = next
    }
    this.#slots[2 * gap + 1] = 0
  }

  #grow(): void {
    const former = this.#slots
    this.#slots = new Int32Array(2 * former.length)
    this.#mask = former.length - 1
    for (let index = 0; index < former.length; index += 2) {
      const place = former[index + 1] ?? 0
      if (place !== 0) this.#link(former[index] ?? 0, place)
    }
  }

  #hashIn(slot: number): number {
    return this.#slots[2 * slot] ?? 0
  }

  #placeIn(slot: number): number {
    return this.#slots[2 * slot + 1] ?? 0
  }
}

function hashOf(text: string): number {
  let hash = 0
  for (let index = text.length - 1 - SAMPLE_LENGTH; index < text.length - 1; index++) {
    hash = (Math.imul(hash, FACTOR) + text.charCodeAt(index)) | 0
  }
  return hash ^ (hash >>> 16)
}
