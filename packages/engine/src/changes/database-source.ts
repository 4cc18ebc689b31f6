import type { Change, KeyFill, LimitKeeper, Sink, Source } from '@claviger/verify'
import type { Writer } from '../commands/writer.ts'
import type { EngineParts } from '../scope.ts'
import { SymmetricSecrets } from '../signing/symmetric-secrets.ts'
import { fillKey } from './fill-key.ts'
import { readSnapshot } from './snapshot.ts'

/** What one sink is given. */
interface Delivery {
  /** While a snapshot is read: the changes that came meanwhile. */
  waiting: Change[] | null
  loading: Promise<void> | null
  readonly stop: () => void
}

type SourceParts = Pick<EngineParts, 'reader' | 'clock' | 'sealer' | 'limits'> & {
  readonly writer: Pick<Writer, 'alive' | 'onChanges'>
}

/**
 * The facts of one project, from the database of this process. The writer tells it of each change before the call that
 * made it returns (rule F1), so it is fresh as long as the writer lives and every sink has taken what it was told.
 */
export class DatabaseSource implements Source {
  readonly limits: LimitKeeper
  readonly #parts: SourceParts
  readonly #projectId: string
  readonly #secrets: SymmetricSecrets
  readonly #deliveries = new Map<Sink, Delivery>()
  /**
   * Sinks that failed to apply a change, so that nothing known there is certain, or that were told of a symmetric
   * signing key before its secret was open.
   */
  readonly #behind = new Set<Sink>()

  constructor(parts: SourceParts, projectId: string) {
    this.#parts = parts
    this.#projectId = projectId
    this.limits = parts.limits.keeper(projectId)
    this.#secrets = new SymmetricSecrets(parts, projectId)
  }

  async open(sink: Sink): Promise<void> {
    const stop = this.#parts.writer.onChanges((projectId, change) => {
      if (projectId === this.#projectId) this.#deliver(sink, delivery, change)
    })
    const delivery: Delivery = { waiting: null, loading: null, stop }
    this.#deliveries.set(sink, delivery)
    try {
      await this.#load(sink, delivery)
    } catch (error) {
      this.close(sink)
      throw error
    }
  }

  fetchKey(digest: string): Promise<KeyFill> {
    return fillKey(this.#parts.reader, { projectId: this.#projectId, digest })
  }

  freshAtMs(): number | undefined {
    return this.#isFresh() ? this.nowMs() : undefined
  }

  /** Loads anew what a sink has missed. A writer that has died does not come back. */
  async refresh(): Promise<boolean> {
    try {
      for (const [sink, delivery] of this.#deliveries) {
        if (this.#behind.has(sink)) await this.#load(sink, delivery)
      }
    } catch {
      // The database cannot be read: the sink stays behind, and whoever asks next tries again.
    }
    return this.#isFresh()
  }

  nowMs(): number {
    return this.#parts.clock.nowMs()
  }

  close(sink: Sink): void {
    this.#deliveries.get(sink)?.stop()
    this.#deliveries.delete(sink)
    this.#behind.delete(sink)
  }

  #isFresh(): boolean {
    return this.#parts.writer.alive && this.#behind.size === 0
  }

  /** Whoever asks while a snapshot is read waits for that one. */
  #load(sink: Sink, delivery: Delivery): Promise<void> {
    delivery.loading ??= this.#loadSnapshot(sink, delivery).finally(() => {
      delivery.loading = null
      delivery.waiting = null
    })
    return delivery.loading
  }

  /**
   * Changes are kept from before the snapshot is read, so that none falls between the two; one that is in the snapshot
   * already is ignored by its position.
   */
  async #loadSnapshot(sink: Sink, delivery: Delivery): Promise<void> {
    const { reader, clock } = this.#parts
    const waiting: Change[] = []
    delivery.waiting = waiting
    const snapshot = await readSnapshot(reader, { projectId: this.#projectId, nowMs: clock.nowMs() })
    // After the snapshot: so there is no key in it whose secret is not open.
    await this.#secrets.load()
    delivery.waiting = null
    const facts = snapshot.facts.map((fact) =>
      fact.type === 'signing-key' ? this.#secrets.addTo(fact) : fact,
    )
    sink.reset({ ...snapshot, facts })
    this.#behind.delete(sink)
    for (const change of waiting) this.#deliver(sink, delivery, change)
  }

  #deliver(sink: Sink, delivery: Delivery, change: Change): void {
    if (delivery.waiting !== null) {
      delivery.waiting.push(change)
      return
    }
    // Others need not wait for a secret: whoever asks this sink next has it opened, with all else, by `refresh`.
    if (change.facts.some((fact) => this.#secrets.lacks(fact))) this.#behind.add(sink)
    try {
      const facts = change.facts.map((fact) =>
        fact.type === 'signing-key' ? this.#secrets.addTo(fact) : fact,
      )
      sink.apply({ ...change, facts })
    } catch (error) {
      this.#behind.add(sink)
      throw error
    }
  }
}
