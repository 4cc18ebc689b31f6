import type { Fact } from '../changes/change.ts'
import type { Position } from '../changes/position.ts'
import type { KeyFill, Sink, Source } from '../source/source.ts'
import { AppliedFacts } from './applied-facts.ts'
import { BatchQueue } from './batch-queue.ts'
import type { EdgeClock } from './edge-clock.ts'
import type { EdgeEvent } from './edge-event.ts'
import { EdgeLimits } from './edge-limits.ts'
import { EdgeError, type EdgeTransport } from './edge-transport.ts'
import { FeedFollower } from './feed-follower.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { News } from './news.ts'
import type { SnapshotKeeper } from './snapshot-keeper.ts'
import { Stopwatch } from './stopwatch.ts'
import { withTimeout } from './with-timeout.ts'

export interface EdgeSourceOptions {
  readonly transport: EdgeTransport
  readonly clock: EdgeClock
  /** That nobody guesses, of letters, digits, `_` and `-`; another one each time. */
  readonly randomId: () => string
  /** From 0 to 1. */
  readonly random: () => number
  readonly name?: string | undefined
  /** How long verdicts may come from memory when nobody can be asked (rule L4); 0: not at all. */
  readonly allowCachedSeconds: number
  readonly keeper?: SnapshotKeeper | undefined
  /** Must not throw. */
  readonly onEvent: (event: EdgeEvent) => void
  /** Figures that the server shows with this verifier. */
  readonly statistics: () => Readonly<Record<string, number>>
  /** How long to try to begin. */
  readonly startTimeoutMs: number
}

/** How things stand between a source and its server. */
export interface EdgeState {
  readonly position: Position | undefined
  /** The last head that the server told. */
  readonly head: Position | undefined
  readonly connected: boolean
  readonly fresh: boolean
  readonly leaseMsLeft: number
  readonly silentMs: number | null
}

const RELEASE_TIMEOUT_MS = 1_000
/** How long one that verifies waits for a snapshot that is on its way. */
const SNAPSHOT_WAIT_MS = 2_000
const LOOK_MS = 10_000

/** Nobody waits to hear that a verifier has applied one of these (rule V8). */
const NOT_AWAITED: ReadonlySet<Fact['type']> = new Set(['import', 'audit-checkpoint'])

/**
 * The facts of a project as a Claviger server tells them to a verifier in another process: a snapshot, then the feed of
 * changes, and a lease that says for how long they may be answered from (rules F1, F2, L1 to L5).
 */
export class EdgeSource implements Source {
  readonly limits: EdgeLimits
  /** The server lists the verifier under it. */
  readonly id: string
  readonly #options: EdgeSourceOptions & { readonly stopwatch: Stopwatch }
  readonly #closing = new AbortController()
  readonly #news: News
  readonly #fills: BatchQueue<string, KeyFill>
  #facts: AppliedFacts | undefined
  #follower: FeedFollower | undefined
  #lease: LeaseKeeper | undefined
  #isConnected = false

  constructor(options: EdgeSourceOptions) {
    this.#options = { ...options, stopwatch: new Stopwatch(options.clock) }
    this.id = options.randomId()
    this.#news = new News(options.clock)
    const { transport, clock } = options
    const { signal } = this.#closing
    this.#fills = new BatchQueue((digests, ending) => transport.resolveKeys(digests, ending), clock, signal)
    this.limits = new EdgeLimits({ transport, verifierId: this.id, clock, nowMs: () => this.nowMs(), signal })
  }

  state(): EdgeState {
    return {
      position: this.#facts?.position,
      head: this.#lease?.head,
      connected: this.#isConnected,
      fresh: this.#lease?.runs() ?? false,
      leaseMsLeft: this.#lease?.leftMs ?? 0,
      silentMs: this.#follower?.silentMs() ?? null,
    }
  }

  /** Resolves once there are facts and a lease. Rejects with an {@link EdgeError} when there will be none. */
  async open(sink: Sink): Promise<void> {
    if (this.#facts !== undefined) throw new TypeError('A source at the edge has one verifier.')
    const { keeper } = this.#options
    const facts = new AppliedFacts(sink, {
      applied: (change) => {
        keeper?.add(change)
        lease.promote()
        this.#news.tell()
        if (change.facts.some(({ type }) => !NOT_AWAITED.has(type))) lease.report()
      },
      replaced: () => {
        this.#news.tell()
        void lease.ask()
      },
      outdated: () => {
        lease.drop('The server has another history: all is loaded anew.')
        follower.interrupt()
        this.#say({ type: 'reset' })
      },
    })
    const follower = new FeedFollower({
      ...this.#options,
      facts,
      news: this.#news,
      signal: this.#closing.signal,
      onConnected: (node) => {
        this.#isConnected = true
        this.#say({ type: 'connected', node })
      },
      onLost: (error) => {
        lease.noteFault(error)
        if (!this.#isConnected) return
        this.#isConnected = false
        this.#say({ type: 'disconnected', reason: error.message })
      },
    })
    const lease = this.#leaseKeeper(facts)
    this.#facts = facts
    this.#follower = follower
    this.#lease = lease
    await this.#warm(facts)
    void follower.run()
    this.limits.start()
    await this.#untilFresh(lease)
  }

  fetchKey(digest: string): Promise<KeyFill> {
    return this.#fills.ask(digest)
  }

  freshAtMs(): number | undefined {
    return this.#lease?.runsAtMs()
  }

  async refresh(): Promise<boolean> {
    if (this.#lease?.runs() === true) return true
    if (this.#closing.signal.aborted) return false
    const hasFacts = (): boolean => this.#facts?.position !== undefined
    if (!hasFacts()) await this.#news.next(SNAPSHOT_WAIT_MS, hasFacts)
    await this.#lease?.askUnlessFailed()
    return this.#lease?.runs() ?? false
  }

  nowMs(): number {
    return this.#lease?.nowMs() ?? this.#options.clock.wallMs()
  }

  close(): void {
    this.#lease?.close()
    this.limits.stop()
    this.#closing.abort()
    this.#news.tell()
  }

  /** Tells the server that nothing is answered any more, so that no receipt waits for it. For when it is closed. */
  async release(): Promise<void> {
    const { clock, transport } = this.#options
    await withTimeout({ clock, ms: RELEASE_TIMEOUT_MS }, async (ending) => {
      await transport.releaseLease(this.id, ending)
      await this.limits.close()
    }).catch(() => undefined)
  }

  #leaseKeeper(facts: AppliedFacts): LeaseKeeper {
    return new LeaseKeeper({
      ...this.#options,
      facts,
      id: this.id,
      news: this.#news,
      isConnected: () => this.#isConnected,
      signal: this.#closing.signal,
      onEvent: (event) => this.#say(event),
    })
  }

  /** Begins with what was kept of the last run: nothing is answered from it before there is a lease. */
  async #warm(facts: AppliedFacts): Promise<void> {
    const kept = await this.#options.keeper?.load()
    if (kept === undefined) return
    facts.replace(kept.snapshot)
    for (const change of kept.changes) facts.apply(change)
  }

  async #untilFresh(lease: LeaseKeeper): Promise<void> {
    const { clock, startTimeoutMs } = this.#options
    let isLate = false
    const cancel = clock.after(startTimeoutMs, () => {
      isLate = true
      this.#news.tell()
    })
    try {
      while (!lease.runs()) {
        if (lease.fault?.refused === true) throw lease.fault
        if (isLate || this.#closing.signal.aborted) {
          throw lease.fault ?? new EdgeError('unreachable', 'The server did not answer in time.')
        }
        await this.#news.next(LOOK_MS)
      }
    } finally {
      cancel()
    }
  }

  #say(event: EdgeEvent): void {
    if (!this.#closing.signal.aborted) this.#options.onEvent(event)
  }
}
