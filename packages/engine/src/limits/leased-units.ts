import type { LimitPart } from '@claviger/verify'

interface Leased {
  units: number
  readonly endsAtMs: number
}

/** As many are kept before those are looked for whose period is over. */
const MIN_SWEEP_SIZE = 10_000

/** What verifiers in other processes were given of limits, and have not put back: nobody puts back more. */
export class LeasedUnits {
  readonly #leased = new Map<string, Leased>()
  #sweepSize = MIN_SWEEP_SIZE

  note(holder: string, { of, id, name, granted, endsAtMs }: LimitPart, nowMs: number): void {
    if (granted === 0) return
    this.#sweep(nowMs)
    const identity = identityOf(holder, { of, id, name, endsAtMs })
    const known = this.#leased.get(identity)
    if (known === undefined) {
      this.#leased.set(identity, { units: granted, endsAtMs: endsAtMs ?? Number.POSITIVE_INFINITY })
    } else known.units += granted
  }

  /** How many of these the verifier may put back. */
  putBack(holder: string, part: Omit<LimitPart, 'limit' | 'granted' | 'remaining'>, units: number): number {
    const identity = identityOf(holder, part)
    const known = this.#leased.get(identity)
    if (known === undefined) return 0
    const back = Math.min(units, known.units)
    known.units -= back
    if (known.units === 0) this.#leased.delete(identity)
    return back
  }

  #sweep(nowMs: number): void {
    if (this.#leased.size < this.#sweepSize) return
    for (const [identity, { endsAtMs }] of this.#leased) if (endsAtMs <= nowMs) this.#leased.delete(identity)
    this.#sweepSize = Math.max(MIN_SWEEP_SIZE, 2 * this.#leased.size)
  }
}

function identityOf(
  holder: string,
  { of, id, name, endsAtMs }: Pick<LimitPart, 'of' | 'id' | 'name' | 'endsAtMs'>,
): string {
  return JSON.stringify([holder, of, id, name, endsAtMs])
}
