const BITS_PER_TARGET = 16
const SMALLEST_BITS = 4096

/**
 * Says of nearly every target without a rule that it has none (a Bloom filter of one hash). Most credentials
 * meet no rule, and their texts are seen for the first time: asking a few kilobytes of bits is several times
 * faster than asking the Maps, which hash each text for good and lie all over the memory. It knows targets by
 * their hash (target-hash.ts).
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

  add(hash: number): void {
    const word = (hash >>> 5) & (this.#bits.length - 1)
    this.#bits[word] = (this.#bits[word] ?? 0) | (1 << (hash & 31))
    this.#count++
  }

  /** False: it was never added. */
  mayHold(hash: number): boolean {
    return ((this.#bits[(hash >>> 5) & (this.#bits.length - 1)] ?? 0) & (1 << (hash & 31))) !== 0
  }
}
