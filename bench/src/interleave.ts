import { setImmediate as nextTurn } from 'node:timers/promises'

/** One way to do the work of a row. */
export interface Contender {
  readonly name: string
  /**
   * Makes the inputs of one pass, and answers what is timed: it handles them all and says how many credentials
   * it accepted.
   */
  prepare(round: number): () => number | Promise<number>
  /** Measured by this in the place of the clock on the wall: seconds of all processors together. */
  processorSeconds?(): number | Promise<number>
}

/** What a contender did in each round. */
export interface Measurement {
  readonly name: string
  readonly perSecond: readonly number[]
}

export interface Rounds {
  readonly contenders: readonly Contender[]
  /** Rounds that are run and not counted, so that everything is compiled. */
  readonly warmUp: number
  readonly counted: number
  /** How many credentials a pass handles. */
  readonly passSize: number
}

/**
 * Lets contenders take turns in one process: in each round every one of them handles one pass, and each round
 * another begins. So a machine that is busy or throttled for a while slows all of them, and their ratio within
 * a round holds. What is left from making the inputs is collected before the clock starts.
 *
 * Throws when a contender accepts fewer credentials than it was given: then it did not do the work.
 */
export async function interleave(rounds: Rounds): Promise<Measurement[]> {
  const { contenders, warmUp, counted, passSize } = rounds
  const perSecond = new Map(contenders.map(({ name }) => [name, [] as number[]]))
  for (let round = 0; round < warmUp + counted; round++) {
    for (const contender of rotate(contenders, round)) {
      const seconds = await timePass(contender, round, passSize)
      if (round >= warmUp) perSecond.get(contender.name)?.push(passSize / seconds)
    }
  }
  return contenders.map(({ name }) => ({ name, perSecond: perSecond.get(name) ?? [] }))
}

async function timePass(contender: Contender, round: number, passSize: number): Promise<number> {
  // Whatever lives on a server must hear from it: its lease is renewed between passes.
  await nextTurn()
  const pass = contender.prepare(round)
  globalThis.gc?.({ type: 'minor', execution: 'sync' })
  const seconds = contender.processorSeconds ?? (() => performance.now() / 1000)
  const start = await seconds()
  // What answers at once is not made to wait for a promise.
  const outcome = pass()
  const accepted = typeof outcome === 'number' ? outcome : await outcome
  const took = (await seconds()) - start
  if (accepted !== passSize)
    throw new Error(`${contender.name} accepted ${accepted} of ${passSize} credentials.`)
  return took
}

function rotate<Item>(items: readonly Item[], by: number): Item[] {
  const first = by % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}
