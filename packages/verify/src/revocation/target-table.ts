import type { RevocationKind } from '../changes/change.ts'
import type { Position } from '../changes/position.ts'
import { KIND_NUMBERS } from './target-hash.ts'

/** A byte a character, and another one for their number. */
const HELD = /^[ -~]{0,255}$/
const MAX_EPOCHS = 256
const MAX_NUMBER = 2 ** 32 - 1
const MAX_RULES = 2 ** 24
const FIRST_CAPACITY = 8
const FIRST_TEXT_BYTES = 256
/** So much of the places may be taken before there are twice as many. */
const MAX_LOAD = 0.7

/** What a rule in the table is found by. */
export interface TableTarget {
  readonly kind: RevocationKind
  readonly text: string
  /** Of both (target-hash.ts). */
  readonly hash: number
}

/** What a rule in the table says. */
export interface TableRule {
  readonly position: Position
  /** Infinite: the rule never ends. */
  readonly untilMs: number
}

/**
 * Rules of the simple kind, one a target, in a few arrays instead of an object each: about 70 bytes a rule with its
 * target, and nothing for the garbage collector to walk through. A rule is found by its whole target: two that only
 * look alike are two.
 */
export class TargetTable {
  /** Rules by their hash; 0: free, else the rule's index and one. */
  #places = new Uint32Array(2 * FIRST_CAPACITY)
  #epochs = new Uint8Array(FIRST_CAPACITY)
  #numbers = new Uint32Array(FIRST_CAPACITY)
  #untils = new Float64Array(FIRST_CAPACITY)
  #hashes = new Uint32Array(FIRST_CAPACITY)
  /** Where each target stands in the texts, after its kind and its length. */
  #starts = new Uint32Array(FIRST_CAPACITY)
  #texts = new Uint8Array(FIRST_TEXT_BYTES)
  #textBytes = 0
  #size = 0
  readonly #epochNames: string[] = []

  get size(): number {
    return this.#size
  }

  /** Whether such a rule fits: others have to stand elsewhere. */
  canHold(target: string, { epoch, number }: Position): boolean {
    return (
      HELD.test(target) &&
      number <= MAX_NUMBER &&
      this.#size < MAX_RULES &&
      (this.#epochNames.length < MAX_EPOCHS || this.#epochNames.includes(epoch))
    )
  }

  /** The rule's index; -1: there is none of this kind and target. */
  find(target: TableTarget): number {
    const mask = this.#places.length - 1
    for (let place = target.hash & mask; ; place = (place + 1) & mask) {
      const index = (this.#places[place] ?? 0) - 1
      if (index < 0 || this.#hasTarget(index, target)) return index
    }
  }

  positionOf(index: number): Position {
    return { epoch: this.#epochNames[this.#epochs[index] ?? 0] ?? '', number: this.#numbers[index] ?? 0 }
  }

  untilMsOf(index: number): number {
    return this.#untils[index] ?? 0
  }

  /** Adds a rule of a kind and target that has none. */
  add(target: TableTarget, rule: TableRule): void {
    if (this.#size === this.#starts.length) this.#growRules()
    if (this.#size >= this.#places.length * MAX_LOAD) this.#placeAnew(2 * this.#places.length)
    const index = this.#size++
    this.#hashes[index] = target.hash
    this.#starts[index] = this.#keepText(target)
    this.replace(index, rule)
    this.#place(index)
  }

  /** Puts another rule in the place of one, for the same target. */
  replace(index: number, { position, untilMs }: TableRule): void {
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
      const end = start + 2 + (this.#texts[start + 1] ?? 0)
      this.#texts.copyWithin(textBytes, start, end)
      this.#epochs[kept] = this.#epochs[index] ?? 0
      this.#numbers[kept] = this.#numbers[index] ?? 0
      this.#hashes[kept] = this.#hashes[index] ?? 0
      this.#untils[kept] = untilMs
      this.#starts[kept++] = textBytes
      textBytes += end - start
    }
    this.#size = kept
    this.#textBytes = textBytes
    this.#placeAnew(this.#places.length)
  }

  /** Of each of the targets. */
  hashes(): Uint32Array {
    return this.#hashes.subarray(0, this.#size)
  }

  #place(index: number): void {
    const mask = this.#places.length - 1
    let place = (this.#hashes[index] ?? 0) & mask
    while (this.#places[place] !== 0) place = (place + 1) & mask
    this.#places[place] = index + 1
  }

  #placeAnew(places: number): void {
    this.#places = new Uint32Array(places)
    for (let index = 0; index < this.#size; index++) this.#place(index)
  }

  #growRules(): void {
    const capacity = grown(this.#starts.length)
    this.#epochs = copied(new Uint8Array(capacity), this.#epochs)
    this.#numbers = copied(new Uint32Array(capacity), this.#numbers)
    this.#untils = copied(new Float64Array(capacity), this.#untils)
    this.#hashes = copied(new Uint32Array(capacity), this.#hashes)
    this.#starts = copied(new Uint32Array(capacity), this.#starts)
  }

  #keepText({ kind, text }: TableTarget): number {
    const start = this.#textBytes
    let end = start + 2 + text.length
    while (this.#texts.length < end) {
      this.#texts = copied(new Uint8Array(grown(this.#texts.length)), this.#texts)
    }
    this.#textBytes = end
    while (--end >= start + 2) this.#texts[end] = text.charCodeAt(end - start - 2)
    this.#texts[start] = KIND_NUMBERS[kind]
    this.#texts[start + 1] = text.length
    return start
  }

  #hasTarget(index: number, { kind, text, hash }: TableTarget): boolean {
    // Nearly always this tells two apart, and saves a walk to where the text lies.
    if (this.#hashes[index] !== hash) return false
    const start = this.#starts[index] ?? 0
    if (this.#texts[start] !== KIND_NUMBERS[kind] || this.#texts[start + 1] !== text.length) return false
    for (let at = 0; at < text.length; at++) {
      if (this.#texts[start + 2 + at] !== text.charCodeAt(at)) return false
    }
    return true
  }

  #epochIndex(epoch: string): number {
    const known = this.#epochNames.indexOf(epoch)
    return known < 0 ? this.#epochNames.push(epoch) - 1 : known
  }
}

/** Twice as much at first, and a quarter more once that is much. */
function grown(capacity: number): number {
  return capacity < 65_536 ? 2 * capacity : Math.ceil(1.25 * capacity)
}

function copied<List extends Uint8Array | Uint32Array | Float64Array>(into: List, from: List): List {
  into.set(from)
  return into
}
