import type { Contender, Rounds } from './interleave.ts'

/** A row of DESIGN section 10: one kind of work, done by us, by the limit and by our peers. */
export interface Row {
  readonly title: string
  /** What is measured and what not, in a paragraph. */
  readonly measures: string
  readonly rounds: Rounds
  /** Whom the others are held against in the table. */
  readonly reference: string
  readonly aims: readonly Aim[]
  /** Ends what the contenders opened. */
  close?(): Promise<void>
}

/** That a contender is at least so many times as fast as another. */
export interface Aim {
  readonly contender: string
  readonly against: string
  readonly atLeast: number
}

/** A contender that answers at once. */
export function direct(
  name: string,
  inputs: (round: number) => readonly string[],
  accepts: (credential: string) => boolean,
): Contender {
  return {
    name,
    prepare(round) {
      const texts = inputs(round)
      return () => {
        let accepted = 0
        for (const text of texts) if (accepts(text)) accepted++
        return accepted
      }
    },
  }
}

/** A contender that answers with a promise: asked one by one, as a request handler does. */
export function promised(
  name: string,
  inputs: (round: number) => readonly string[],
  accepts: (credential: string) => Promise<boolean>,
): Contender {
  return {
    name,
    prepare(round) {
      const texts = inputs(round)
      return async () => {
        let accepted = 0
        for (const text of texts) if (await accepts(text)) accepted++
        return accepted
      }
    },
  }
}
