import type { RevocationKind } from '../changes/change.ts'

const BITS_PER_TARGET = 16
const SMALLEST_BITS = 4096

/** So that one text as a token's id and as a subject are two things. */
export const KIND_NUMBERS: Readonly<Record<RevocationKind, number>> = {
  token: 1,
  session: 2,
  key: 3,
  subject: 4,
  client: 5,
  everything: 6,
}

/**
 * Says of nearly every target without a rule that it has none (a Bloom filter of one hash). Most credentials
 * meet no rule, and their texts are seen for the first time: asking a few kilobytes of bits is several times
 * faster than asking the Maps, which hash each text for good and lie all over the memory.
 */
export class TargetFilter {
  #bits = new Uint32Array(SMALLEST_BITS / 32)
  #count = 0

  /** Whether another target can be added before the filter says too little: then make one with more room. */
  get isFull(): boolean {
    return this.#count * BITS_PER_TARGET >= this.#bits.length * 32
  }

  /** Empty, with room for twice so many targets. */
  static withRoomFor(count: number): TargetFilter {
    const filter = new TargetFilter()
    let bits = SMALLEST_BITS
    while (bits < 2 * count * BITS_PER_TARGET) bits *= 2
    filter.#bits = new Uint32Array(bits / 32)
    return filter
  }

  add(kind: RevocationKind, target: string): void {
    this.addHash(filterHash(kind, target))
  }

  /** Adds a target that another filter knew by its {@link filterHash}. */
  addHash(hash: number): void {
    const word = (hash >>> 5) & (this.#bits.length - 1)
    this.#bits[word] = (this.#bits[word] ?? 0) | (1 << (hash & 31))
    this.#count++
  }

  /** False: it was never added. */
  mayHold(kind: RevocationKind, target: string): boolean {
    const hash = filterHash(kind, target)
    return ((this.#bits[(hash >>> 5) & (this.#bits.length - 1)] ?? 0) & (1 << (hash & 31))) !== 0
  }
}

/** How much of a text counts, from its end: there ids of every kind are random. Others only say less. */
const SAMPLE_LENGTH = 16

/** FNV-1a over the text's length and last units, and a last stir, since only the low bits are used. */
export function filterHash(kind: RevocationKind, text: string): number {
  let hash = Math.imul(KIND_NUMBERS[kind], 0x9e3779b1) ^ 0x811c9dc5 ^ text.length
  for (let index = Math.max(0, text.length - SAMPLE_LENGTH); index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  return hash ^ (hash >>> 13)
}
