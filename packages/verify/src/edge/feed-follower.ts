import type { Position } from '../changes/position.ts'
import type { AppliedFacts } from './applied-facts.ts'
import type { EdgeClock } from './edge-clock.ts'
import { EdgeError, type EdgeTransport, edgeErrorOf, type FeedListener } from './edge-transport.ts'
import type { News } from './news.ts'
import type { SnapshotKeeper } from './snapshot-keeper.ts'
import type { Stopwatch } from './stopwatch.ts'
import { withTimeout } from './with-timeout.ts'

export interface FeedFollowerOptions {
  readonly transport: EdgeTransport
  readonly clock: EdgeClock
  readonly stopwatch: Stopwatch
  /** From 0 to 1. */
  readonly random: () => number
  readonly facts: AppliedFacts
  readonly keeper?: SnapshotKeeper | undefined
  /** Told when the signal aborts. */
  readonly news: News
  /** Ends it. */
  readonly signal: AbortSignal
  readonly onConnected: (node: string) => void
  /** No stream is open any more, or none could be opened. */
  readonly onLost: (error: EdgeError) => void
}

const SNAPSHOT_TIMEOUT_MS = 120_000
/** Until the stream says how often something comes. */
const HELLO_TIMEOUT_MS = 10_000
const WATCH_MS = 1_000
/** A stream that lived as long was no failure. */
const STEADY_MS = 5_000
const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 10_000
/** A server that said no says so again until somebody changes something. */
const REFUSED_PAUSE_MS = 5_000

/** Loads a snapshot where one is needed and follows the changes after it, from one stream to the next. */
export class FeedFollower {
  readonly #options: FeedFollowerOptions
  #stream: AbortController | undefined
  #heardAtMs: number | undefined
  #heartbeatMs: number | null = null

  constructor(options: FeedFollowerOptions) {
    this.#options = options
  }

  /** How long ago something came, milliseconds; null: nothing did. */
  silentMs(): number | null {
    return this.#heardAtMs === undefined ? null : this.#options.stopwatch.readMs() - this.#heardAtMs
  }

  /** Ends the stream that is open, so that another one is opened. */
  interrupt(): void {
    this.#stream?.abort()
  }

  /** Goes on until the signal aborts. Never rejects. */
  async run(): Promise<void> {
    const { stopwatch, random, facts, news, signal } = this.#options
    for (let failures = 0; !signal.aborted; failures++) {
      const beganAtMs = stopwatch.readMs()
      const error = await this.#followOnce()
      if (signal.aborted) return
      if (stopwatch.readMs() - beganAtMs > STEADY_MS) failures = 0
      this.#options.onLost(error)
      // After a reset the snapshot is loaded at once, and is only waited for where that does not help.
      if (facts.position === undefined && failures === 0 && !error.refused) continue
      const longestMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10))
      const pauseMs = (error.refused ? REFUSED_PAUSE_MS : 0) + random() * longestMs
      await news.next(pauseMs, () => signal.aborted)
    }
  }

  /** Answers why there is no stream any more. */
  async #followOnce(): Promise<EdgeError> {
    try {
      await this.#readStream(this.#options.facts.position ?? (await this.#loadSnapshot()))
      return new EdgeError('unreachable', 'The stream of changes has ended.')
    } catch (error) {
      return edgeErrorOf(error)
    }
  }

  async #loadSnapshot(): Promise<Position> {
    const { transport, clock, facts, keeper, signal } = this.#options
    const lines: string[] = []
    const keep = keeper === undefined ? undefined : (line: string) => lines.push(line)
    const snapshot = await withTimeout({ clock, ms: SNAPSHOT_TIMEOUT_MS, signal }, (ending) =>
      transport.readSnapshot(ending, keep),
    )
    facts.replace(snapshot)
    keeper?.keep(lines)
    return snapshot.position
  }

  async #readStream(after: Position): Promise<void> {
    const { transport, stopwatch, signal } = this.#options
    const stream = new AbortController()
    const stop = (): void => stream.abort()
    signal.addEventListener('abort', stop)
    this.#stream = stream
    this.#heardAtMs = stopwatch.readMs()
    const stopWatching = this.#watch(stream)
    try {
      await transport.follow(after, this.#listener(after), stream.signal)
    } finally {
      this.#heartbeatMs = null
      stopWatching()
      signal.removeEventListener('abort', stop)
    }
  }

  #listener(after: Position): FeedListener {
    const { stopwatch, facts, onConnected } = this.#options
    return {
      heard: () => {
        this.#heardAtMs = stopwatch.readMs()
      },
      hello: ({ node, heartbeatSeconds }) => {
        this.#heartbeatMs = heartbeatSeconds * 1000
        onConnected(node)
      },
      change: (change) => facts.apply(change),
      reset: () => facts.outdate(after),
      end: (code) => {
        throw new EdgeError(code, 'The server has ended the stream: the key may not read on.', {
          refused: true,
        })
      },
    }
  }

  /** Ends a stream that is silent for longer than one that lives can be: of a connection that was cut no error comes. */
  #watch(stream: AbortController): () => void {
    const { clock } = this.#options
    let cancel = (): void => undefined
    const look = (): void => {
      const limitMs = this.#heartbeatMs === null ? HELLO_TIMEOUT_MS : 3 * this.#heartbeatMs + 500
      if ((this.silentMs() ?? 0) > limitMs) stream.abort()
      else cancel = clock.after(WATCH_MS, look)
    }
    look()
    return () => cancel()
  }
}
