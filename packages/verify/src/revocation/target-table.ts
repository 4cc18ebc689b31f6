import type { RevocationKind } from '../changes/change.ts'
import type { Position } from '../changes/position.ts'
import { KIND_NUMBERS } from './target-filter.ts'

/** Kinds of rules that can stand in the table. */
export type TableKind = Exclude<RevocationKind, 'everything'>

const MAX_TARGET_LENGTH = 255
const MAX_EPOCHS = 256
const MAX_NUMBER = 2 ** 32 - 1
const INDEX_BITS = 24
const INDEX_MASK = 2 ** INDEX_BITS - 1
const LAST_ASCII = 127
const FIRST_CAPACITY = 8
const FIRST_TEXT_BYTES = 256
/** So much of the places may be taken before there are twice as many. */
const MAX_LOAD = 0.7

/** What a rule in the table says, without what it is found by. */
export interface TableRule {
  readonly position: Position
  /** Infinite: the rule never ends. */
  readonly untilMs: number
  /** What the filter of targets knows it by: another filter is made from it. */
  readonly filterHash: number
}

/**
 * Rules of the simple kind, one a target, in a few arrays instead of an object each: about 70 bytes a rule with its
 * target, and nothing for the garbage collector to walk through. A rule is found by its whole target: two that only
 * look alike are two.
 */
export class TargetTable {
  /** Rules by their hash; 0: free, else the rule's index and one, under eight more bits of the hash. */
  #places = new Uint32Array(2 * FIRST_CAPACITY)
  #kinds = new Uint8Array(FIRST_CAPACITY)
  #epochs = new Uint8Array(FIRST_CAPACITY)
  #numbers = new Uint32Array(FIRST_CAPACITY)
  #untils = new Float64Array(FIRST_CAPACITY)
  #filterHashes = new Int32Array(FIRST_CAPACITY)
  /** Where each target stands in the texts, its length first. */
  #starts = new Uint32Array(FIRST_CAPACITY)
  #texts = new Uint8Array(FIRST_TEXT_BYTES)
  #textBytes = 0
  #size = 0
  readonly #epochNames: string[] = []
  /** Nobody who chooses targets can choose where they fall. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32)

  get size(): number {
    return this.#size
  }

  /** Whether such a rule fits: others have to stand elsewhere. */
  canHold(target: string, { epoch, number }: Position): boolean {
    if (target.length > MAX_TARGET_LENGTH || number > MAX_NUMBER || this.#size >= INDEX_MASK) return false
    if (this.#epochNames.length >= MAX_EPOCHS && !this.#epochNames.includes(epoch)) return false
    for (let index = 0; index < target.length; index++) {
      if (target.charCodeAt(index) > LAST_ASCII) return false
    }
    return true
  }

  /** The rule's index; -1: there is none of this kind and target. */
  find(kind: TableKind, target: string): number {
    const byte = KIND_NUMBERS[kind]
    const mask = this.#places.length - 1
    const hash = this.#hash(byte, target)
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const placed = this.#places[place] ?? 0
      if (placed === 0) return -1
      // Nearly always this tells two apart, and saves a walk to where the rule itself lies.
      if ((placed ^ hash) >>> INDEX_BITS !== 0) continue
      const index = (placed & INDEX_MASK) - 1
      if (this.#kinds[index] === byte && this.#hasTarget(index, target)) return index
    }
  }

  positionOf(index: number): Position {
    return { epoch: this.#epochNames[this.#epochs[index] ?? 0] ?? '', number: this.#numbers[index] ?? 0 }
  }

  untilMsOf(index: number): number {
    return this.#untils[index] ?? 0
  }

  /** Adds a rule of a kind and target that has none. */
  add(kind: TableKind, target: string, rule: TableRule): void {
    if (this.#size === this.#starts.length) this.#growRules()
    if (this.#size >= this.#places.length * MAX_LOAD) this.#placeAnew(2 * this.#places.length)
    const index = this.#size++
    this.#kinds[index] = KIND_NUMBERS[kind]
    this.#filterHashes[index] = rule.filterHash
    this.#starts[index] = this.#keepText(target)
    this.replace(index, rule)
    this.#place(index)
  }

  /** Puts another rule in the place of one, for the same target. */
  replace(index: number, { position, untilMs }: Pick<TableRule, 'position' | 'untilMs'>): void {
    this.#epochs[index] = this.#epochIndex(position.epoch)
    this.#numbers[index] = position.number
    this.#untils[index] = untilMs
  }

  /** How many have ended by then: looks at every rule, a nanosecond each. */
  countEnded(nowMs: number): number {
    let ended = 0
    for (let index = 0; index < this.#size; index++) if ((this.#untils[index] ?? 0) < nowMs) ended++
    return ended
  }

  dropEnded(nowMs: number): void {
    let kept = 0
    let textBytes = 0
    for (let index = 0; index < this.#size; index++) {
      const untilMs = this.#untils[index] ?? 0
      if (untilMs < nowMs) continue
      const start = this.#starts[index] ?? 0
      const end = start + 1 + (this.#texts[start] ?? 0)
      this.#texts.copyWithin(textBytes, start, end)
      this.#kinds[kept] = this.#kinds[index] ?? 0
      this.#epochs[kept] = this.#epochs[index] ?? 0
      this.#numbers[kept] = this.#numbers[index] ?? 0
      this.#filterHashes[kept] = this.#filterHashes[index] ?? 0
      this.#untils[kept] = untilMs
      this.#starts[kept++] = textBytes
      textBytes += end - start
    }
    this.#size = kept
    this.#textBytes = textBytes
    this.#placeAnew(this.#places.length)
  }

  /** What the filter knows each of the targets by. */
  filterHashes(): Int32Array {
    return this.#filterHashes.subarray(0, this.#size)
  }

  #place(index: number): void {
    const mask = this.#places.length - 1
    const hash = this.#hashAt(index)
    let place = hash & mask
    while (this.#places[place] !== 0) place = (place + 1) & mask
    this.#places[place] = ((hash & ~INDEX_MASK) | (index + 1)) >>> 0
  }

  #placeAnew(places: number): void {
    this.#places = new Uint32Array(places)
    for (let index = 0; index < this.#size; index++) this.#place(index)
  }

  #growRules(): void {
    const capacity = grown(this.#starts.length)
    this.#kinds = copied(new Uint8Array(capacity), this.#kinds)
    this.#epochs = copied(new Uint8Array(capacity), this.#epochs)
    this.#numbers = copied(new Uint32Array(capacity), this.#numbers)
    this.#untils = copied(new Float64Array(capacity), this.#untils)
    this.#filterHashes = copied(new Int32Array(capacity), this.#filterHashes)
    this.#starts = copied(new Uint32Array(capacity), this.#starts)
  }

  #keepText(target: string): number {
    const start = this.#textBytes
    const end = start + 1 + target.length
    while (this.#texts.length < end) {
      this.#texts = copied(new Uint8Array(grown(this.#texts.length)), this.#texts)
    }
    this.#texts[start] = target.length
    for (let index = 0; index < target.length; index++)
      this.#texts[start + 1 + index] = target.charCodeAt(index)
    this.#textBytes = end
    return start
  }

  #hasTarget(index: number, target: string): boolean {
    const start = this.#starts[index] ?? 0
    if (this.#texts[start] !== target.length) return false
    for (let at = 0; at < target.length; at++) {
      if (this.#texts[start + 1 + at] !== target.charCodeAt(at)) return false
    }
    return true
  }

  #epochIndex(epoch: string): number {
    const known = this.#epochNames.indexOf(epoch)
    return known < 0 ? this.#epochNames.push(epoch) - 1 : known
  }

  #hash(kind: number, target: string): number {
    let hash = this.#seed ^ kind
    for (let at = 0; at < target.length; at++) hash = step(hash, target.charCodeAt(at))
    return stirred(hash)
  }

  /** The same for a rule in the table. */
  #hashAt(index: number): number {
    let hash = this.#seed ^ (this.#kinds[index] ?? 0)
    const start = this.#starts[index] ?? 0
    const end = start + 1 + (this.#texts[start] ?? 0)
    for (let at = start + 1; at < end; at++) hash = step(hash, this.#texts[at] ?? 0)
    return stirred(hash)
  }
}

function step(hash: number, unit: number): number {
  const mixed = Math.imul(hash ^ unit, 0xcc9e2d51)
  return (mixed << 15) | (mixed >>> 17)
}

/** Every bit counts in the low ones. */
function stirred(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** Twice as much at first, and a quarter more once that is much. */
function grown(capacity: number): number {
  return capacity < 65_536 ? 2 * capacity : Math.ceil(1.25 * capacity)
}

function copied<List extends Uint8Array | Uint32Array | Int32Array | Float64Array>(
  into: List,
  from: List,
): List {
  into.set(from)
  return into
}
