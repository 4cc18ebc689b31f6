/** How often a value was at most a bound: what a Prometheus histogram shows. */
export interface DistributionSnapshot {
  /** Rising; the last is infinite. */
  readonly bounds: readonly number[]
  /** Values at most as large as the bound of the same index, those of smaller bounds among them. */
  readonly cumulative: readonly number[]
  readonly sum: number
}

/** Values sorted into few classes as they come: an addition and a short search each, and no memory but the counts. */
export class Distribution {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  /** `bounds` rise; whatever is larger than the last of them counts too. */
  constructor(bounds: readonly number[]) {
    this.#bounds = [...bounds, Number.POSITIVE_INFINITY]
    this.#counts = this.#bounds.map(() => 0)
  }

  add(value: number): void {
    let index = 0
    while (value > (this.#bounds[index] ?? Number.POSITIVE_INFINITY)) index++
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#sum += value
  }

  read(): DistributionSnapshot {
    let sofar = 0
    const cumulative = this.#counts.map((count) => {
      sofar += count
      return sofar
    })
    return { bounds: this.#bounds, cumulative, sum: this.#sum }
  }
}
