import {
  type Fact,
  type KeyFill,
  type KeyRecord,
  NO_COUNTERS,
  type Sink,
  type Snapshot,
  type Source,
} from '@claviger/verify'

/**
 * A source whose facts are all in memory: it takes the place of the database, which no row here is to measure,
 * and leaves the verifier as it is in production. Like the database's, it is always fresh.
 */
export class MemorySource implements Source {
  readonly limits = NO_COUNTERS
  readonly #snapshot: Snapshot
  readonly #keys: ReadonlyMap<string, KeyRecord>
  readonly #sinks = new Set<Sink>()
  #head: number

  constructor(snapshot: Snapshot, keysByDigest: ReadonlyMap<string, KeyRecord>) {
    this.#snapshot = snapshot
    this.#head = snapshot.position.number
    this.#keys = keysByDigest
  }

  async open(sink: Sink): Promise<void> {
    sink.reset(this.#snapshot)
    this.#sinks.add(sink)
  }

  async fetchKey(digest: string): Promise<KeyFill> {
    return { position: this.#snapshot.position, key: this.#keys.get(digest) ?? null }
  }

  freshAtMs(): number {
    return Date.now()
  }

  async refresh(): Promise<boolean> {
    return true
  }

  nowMs(): number {
    return Date.now()
  }

  close(sink: Sink): void {
    this.#sinks.delete(sink)
  }

  /** Delivers a change, as the feed would. */
  deliver(fact: Fact): void {
    const position = { epoch: this.#snapshot.position.epoch, number: ++this.#head }
    const change = { position, atMs: Date.now(), commandId: `cmd_${this.#head}`, facts: [fact] }
    for (const sink of this.#sinks) sink.apply(change)
  }
}
