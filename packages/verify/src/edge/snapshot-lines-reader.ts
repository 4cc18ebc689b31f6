import { addSnapshotRules } from '../revocation/add-snapshot-rules.ts'
import { RevocationRules } from '../revocation/revocation-rules.ts'
import type { Snapshot } from '../source/source.ts'
import type { SnapshotEnd, SnapshotHead, SnapshotRules } from '../wire/snapshot-lines.ts'

type SnapshotFact = Snapshot['facts'][number]

/** Reads a snapshot from its lines (wire/snapshot-lines.ts), which come one by one. */
export class SnapshotLinesReader {
  #head: SnapshotHead | undefined
  readonly #facts: SnapshotFact[] = []
  #rules: RevocationRules | undefined
  #count = 0
  #ended = false

  /** Throws a TypeError for what is no line of a snapshot. */
  push(line: string): void {
    if (this.#ended) throw new TypeError('The snapshot goes on after its end.')
    const value = parse(line)
    if (this.#head === undefined) this.#head = value as SnapshotHead
    else if ('type' in value) this.#take(value as SnapshotFact | SnapshotRules, this.#head)
    else this.#end(value as SnapshotEnd)
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  /** The snapshot. Throws a TypeError when its end has not come: it was cut short. */
  finish(): Snapshot {
    if (this.#head === undefined || !this.#ended) throw new TypeError('The snapshot was cut short.')
    return { ...this.#head, facts: this.#facts, rules: this.#rules }
  }

  /** Rules may be a million: each goes to its place at once. */
  #take(fact: SnapshotFact | SnapshotRules, { epochs }: SnapshotHead): void {
    this.#rules ??= new RevocationRules(new Set(epochs))
    if (fact.type === 'rules') {
      this.#count += addSnapshotRules(this.#rules, fact)
      return
    }
    this.#count++
    if (fact.type === 'revocation') this.#rules.add(fact.rule)
    else this.#facts.push(fact)
  }

  #end({ end, facts }: SnapshotEnd): void {
    if (end !== true || facts !== this.#count) throw new TypeError('The snapshot lacks facts.')
    this.#ended = true
  }
}

function parse(line: string): object {
  const value: unknown = JSON.parse(line)
  if (typeof value === 'object' && value !== null) return value
  throw new TypeError('A line of the snapshot is no object.')
}
