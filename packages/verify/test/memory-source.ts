import type { Change, Fact } from '../src/changes/change.ts'
import type { Position } from '../src/changes/position.ts'
import { type LimitKeeper, NO_COUNTERS } from '../src/limits/limit-keeper.ts'
import type { KeyFill, KeyRecord, Sink, Snapshot, Source } from '../src/source/source.ts'

export const EPOCH = '1-00000000'

/** A whole authority in memory: its facts, its keys and its head. Tests own its clock, delays and freshness. */
export class MemorySource implements Source {
  limits: LimitKeeper = NO_COUNTERS
  time = Date.UTC(2026, 10, 24)
  isFresh = true
  head = 1
  readonly keys = new Map<string, KeyRecord>()
  facts: Snapshot['facts'] = []
  fetches = 0
  /** Runs between the reading of a fill and its delivery. */
  beforeDelivery: () => Promise<void> | void = () => {}
  onRefresh: () => Promise<boolean> | boolean = () => false
  #sinks = new Set<Sink>()

  async open(sink: Sink): Promise<void> {
    this.#sinks.add(sink)
    sink.reset(this.snapshot())
  }

  snapshot(): Snapshot {
    return { project: 'default', position: this.position(), epochs: [EPOCH], facts: this.facts }
  }

  position(number = this.head): Position {
    return { epoch: EPOCH, number }
  }

  /** Commits a change and tells every sink. */
  commit(...facts: Fact[]): Position {
    this.head++
    this.deliver(this.head, ...facts)
    return this.position()
  }

  deliver(number: number, ...facts: Fact[]): void {
    this.deliverIn(EPOCH, number, ...facts)
  }

  deliverIn(epoch: string, number: number, ...facts: Fact[]): void {
    const change: Change = { position: { epoch, number }, atMs: this.time, commandId: `cmd_${number}`, facts }
    for (const sink of this.#sinks) sink.apply(change)
  }

  async fetchKey(digest: string): Promise<KeyFill> {
    this.fetches++
    const fill = { position: this.position(), key: this.keys.get(digest) ?? null }
    await this.beforeDelivery()
    return fill
  }

  freshAtMs(): number | undefined {
    return this.isFresh ? this.time : undefined
  }

  async refresh(): Promise<boolean> {
    return this.onRefresh()
  }

  nowMs(): number {
    return this.time
  }

  close(sink: Sink): void {
    this.#sinks.delete(sink)
  }
}
