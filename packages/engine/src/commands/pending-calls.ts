/** Room that was given back is taken out of the list when it is this much, and half of it. */
const MIN_GAP = 1_024

/**
 * Calls that wait for their answers, in the order in which they were made, which is nearly always that of the answers.
 *
 * It is no `Map`: V8 links each table that a map has outgrown to the next. Where entries come and go without end, all that
 * was ever in them hangs on the first one that was tenured, and every collection of the young generation copies it
 * (decision 0035).
 */
export class PendingCalls<Call> {
  readonly #ids: string[] = []
  /** Undefined: answered. */
  readonly #calls: (Call | undefined)[] = []
  #first = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The one that has waited for longest. */
  get oldest(): Call | undefined {
    return this.#calls[this.#first]
  }

  add(id: string, call: Call): void {
    this.#ids.push(id)
    this.#calls.push(call)
    this.#size++
  }

  /** Undefined: none waits under this id. */
  take(id: string): Call | undefined {
    const index = this.#ids.indexOf(id, this.#first)
    if (index === -1) return undefined
    const call = this.#calls[index]
    if (call === undefined) return undefined
    this.#calls[index] = undefined
    this.#size--
    this.#skipAnswered()
    return call
  }

  /** All that wait. */
  takeAll(): Call[] {
    const calls = this.#calls.filter((call) => call !== undefined)
    this.#ids.length = 0
    this.#calls.length = 0
    this.#first = 0
    this.#size = 0
    return calls
  }

  #skipAnswered(): void {
    while (this.#first < this.#calls.length && this.#calls[this.#first] === undefined) this.#first++
    const isGap = this.#first >= MIN_GAP && this.#first >= this.#calls.length / 2
    if (this.#size > 0 && !isGap) return
    this.#ids.splice(0, this.#first)
    this.#calls.splice(0, this.#first)
    this.#first = 0
  }
}
