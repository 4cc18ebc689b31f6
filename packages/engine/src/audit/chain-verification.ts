import type { KeyObject } from 'node:crypto'
import type { AuditTable } from '../storage/schema.ts'
import { type ChainPoint, macOf } from './entry-mac.ts'
import { isSigned, type SignedPoint } from './signed-point.ts'

/** What can be wrong with a chain, by the first entry that shows it. */
export interface ChainFault {
  /** The number of the first entry that is not as it was written, or is not there. */
  readonly sequence: number
  readonly problem: 'altered' | 'missing' | 'unexpected' | 'truncated' | 'rewritten' | 'forged-signature'
  /** For a person. */
  readonly detail: string
}

export interface VerificationKeys {
  readonly chain: KeyObject
  /** The public part of the signing key. */
  readonly signing: KeyObject
}

/**
 * Goes along one project's chain, entry by entry, and stops at the first fault. Checkpoints are told before the entry
 * that they speak for, or right after it.
 */
export class ChainVerification {
  readonly projectId: string
  readonly #keys: VerificationKeys
  /** By number: the checkpoints of entries to come. */
  readonly #awaited = new Map<number, SignedPoint[]>()
  #last: ChainPoint
  #entries = 0
  #checkpoints = 0
  #checkpointedThrough: number | null = null
  #fault: ChainFault | null = null

  /** `start`: the place that the first entry follows. The record of a pruning must be signed. */
  constructor(projectId: string, keys: VerificationKeys, start: ChainPoint | SignedPoint) {
    this.projectId = projectId
    this.#keys = keys
    this.#last = start
    if ('signature' in start) this.#checkSignature(start)
  }

  get fault(): ChainFault | null {
    return this.#fault
  }

  get entries(): number {
    return this.#entries
  }

  get last(): ChainPoint {
    return this.#last
  }

  /** How many checkpoints agree with the chain. */
  get checkpoints(): number {
    return this.#checkpoints
  }

  /** The last entry that a checkpoint vouches for: up to there nothing was cut off. */
  get checkpointedThrough(): number | null {
    return this.#checkpointedThrough
  }

  addCheckpoint(point: SignedPoint): void {
    if (this.#fault !== null || !this.#checkSignature(point)) return
    if (point.sequence > this.#last.sequence) {
      const others = this.#awaited.get(point.sequence) ?? []
      this.#awaited.set(point.sequence, [...others, point])
    } else if (point.sequence === this.#last.sequence) this.#compare(point, this.#last)
    // What is older was pruned, and nobody can compare it any more.
  }

  addEntry(entry: AuditTable): void {
    if (this.#fault !== null) return
    const { sequence } = entry
    const expected = this.#last.sequence + 1
    if (sequence < expected) {
      this.#fail(sequence, 'unexpected', `Entry ${sequence} stands where none was written.`)
      return
    }
    if (sequence > expected) {
      this.#fail(expected, 'missing', `Entry ${expected} is missing: entry ${sequence} comes next.`)
      return
    }
    const mac = macOf(this.#keys.chain, { ...entry, project_id: this.projectId }, this.#last.mac)
    if (entry.mac !== mac || entry.project_id !== this.projectId) {
      this.#fail(sequence, 'altered', `Entry ${sequence} was altered, moved or forged.`)
      return
    }
    this.#last = { sequence, mac }
    this.#entries++
    for (const point of this.#awaited.get(sequence) ?? []) this.#compare(point, this.#last)
    this.#awaited.delete(sequence)
  }

  /** To be called after the last entry. */
  finish(): void {
    if (this.#fault !== null || this.#awaited.size === 0) return
    const { sequence } = this.#last
    const through = Math.max(...this.#awaited.keys())
    this.#fail(
      sequence + 1,
      'truncated',
      `The entries ${sequence + 1} to ${through} are missing: a checkpoint vouches for them.`,
    )
  }

  #compare(point: SignedPoint, entry: ChainPoint): void {
    if (this.#fault !== null) return
    if (point.mac !== entry.mac) {
      this.#fail(
        entry.sequence,
        'rewritten',
        `Entry ${entry.sequence} is another than the one that a checkpoint vouches for: the chain was cut before it, and went on.`,
      )
      return
    }
    this.#checkpoints++
    this.#checkpointedThrough = Math.max(this.#checkpointedThrough ?? 0, point.sequence)
  }

  #checkSignature(point: SignedPoint): boolean {
    if (point.project_id === this.projectId && isSigned(this.#keys.signing, point)) return true
    this.#fail(
      point.sequence,
      'forged-signature',
      `The ${point.kind === 'prune' ? 'prune record' : 'checkpoint'} of entry ${point.sequence} was not signed here for this project.`,
    )
    return false
  }

  #fail(sequence: number, problem: ChainFault['problem'], detail: string): void {
    this.#fault = { sequence, problem, detail }
  }
}
