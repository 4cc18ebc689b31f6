/** What was read under a name, for whoever asks next. Bounded: the oldest makes room. */
export class Remembered<Value> {
  readonly #most: number
  readonly #readings = new Map<string, Promise<Value>>()

  constructor(most: number) {
    this.#most = most
  }

  /** Asks `read` if the name is not known. A reading that failed is not kept: the next who asks begins another. */
  get(name: string, read: () => Promise<Value>): Promise<Value> {
    const known = this.#readings.get(name)
    if (known !== undefined) return known
    const reading = read()
    reading.catch(() => this.#readings.delete(name))
    for (const oldest of this.#readings.keys()) {
      if (this.#readings.size < this.#most) break
      this.#readings.delete(oldest)
    }
    this.#readings.set(name, reading)
    return reading
  }
}
