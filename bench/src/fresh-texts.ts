import { Buffer } from 'node:buffer'

/**
 * Credentials kept as bytes, and made into new strings for each pass. A string that was used before remembers
 * its hash and may be known by identity; one that came over the network is not, and neither are these.
 */
export class FreshTexts {
  readonly #bytes: Buffer
  readonly #ends: readonly number[]

  constructor(texts: readonly string[]) {
    this.#bytes = Buffer.from(texts.join(''), 'latin1')
    let end = 0
    this.#ends = texts.map((text) => (end += text.length))
  }

  get count(): number {
    return this.#ends.length
  }

  get meanLength(): number {
    return Math.round(this.#bytes.length / this.count)
  }

  /** New strings for the texts from `first` on, `count` of them or all. */
  make(first = 0, count = this.count): string[] {
    const texts: string[] = []
    for (let index = first; index < first + count; index++) {
      texts.push(this.#bytes.toString('latin1', index === 0 ? 0 : this.#ends[index - 1], this.#ends[index]))
    }
    return texts
  }
}
