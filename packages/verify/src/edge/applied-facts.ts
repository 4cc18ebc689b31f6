import type { Change } from '../changes/change.ts'
import type { Position } from '../changes/position.ts'
import type { Sink, Snapshot } from '../source/source.ts'
import { EdgeError } from './edge-transport.ts'

/** Told what becomes of the facts. */
export interface FactsListener {
  applied(change: Change): void
  /** A snapshot has replaced everything. */
  replaced(): void
  /** What is known is of another history than the server's (rule E1): a snapshot is needed. */
  outdated(): void
}

/**
 * What a verifier at the edge has applied. Changes come from the feed, and fetched where it fails; each is taken once,
 * in order and without a gap (rule F1).
 */
export class AppliedFacts {
  readonly #sink: Sink
  readonly #listener: FactsListener
  #position: Position | undefined
  #isOutdated = false

  constructor(sink: Sink, listener: FactsListener) {
    this.#sink = sink
    this.#listener = listener
  }

  /** Up to where all is applied; undefined: there are no facts that may be answered from. */
  get position(): Position | undefined {
    return this.#isOutdated ? undefined : this.#position
  }

  /** Replaces everything. */
  replace(snapshot: Snapshot): void {
    this.#sink.reset(snapshot)
    this.#position = snapshot.position
    this.#isOutdated = false
    this.#listener.replaced()
  }

  /** Takes a change. One that leaves a gap is the server's mistake: it is not taken, and an {@link EdgeError} thrown. */
  apply(change: Change): void {
    const { position } = this
    const { epoch, number } = change.position
    if (position === undefined) return
    if (epoch !== position.epoch) {
      this.outdate(position)
      return
    }
    if (number <= position.number) return
    if (number !== position.number + 1) throw new EdgeError('protocol', 'The server left out a change.')
    this.#sink.apply(change)
    this.#position = { epoch, number }
    this.#listener.applied(change)
  }

  /** Whether it is known that there is more, in the same history, than what is applied. */
  lacks(head: Position): boolean {
    const { position } = this
    return position !== undefined && position.epoch === head.epoch && position.number < head.number
  }

  /** The server does not know the history that this place is in. One that has been left since says nothing. */
  outdate(place: Position): void {
    if (this.position?.epoch !== place.epoch) return
    this.#isOutdated = true
    this.#listener.outdated()
  }
}
