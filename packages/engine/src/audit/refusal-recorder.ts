import type { Clock } from '../clock.ts'
import type { RequestOrigin } from '../commands/command.ts'
import type { Writer } from '../commands/writer.ts'
import { addressOf } from './append-entry.ts'
import type { Refusals } from './record-refusals.ts'

/** One call to the management API that was refused. */
export interface RefusedCall {
  readonly keyId: string | null
  readonly reason: string
  readonly call: string
  readonly origin: RequestOrigin
}

export interface RefusalRecorderOptions {
  readonly writer: Pick<Writer, 'run'>
  readonly clock: Clock
  /** Told of the projects that have new entries. */
  readonly onWritten: (projectIds: readonly string[]) => void
  /** Told when a batch could not be written; it is kept for the next. */
  readonly onFailure: (error: unknown) => void
}

const INTERVAL_MS = 1_000
const WINDOW_MS = 60_000
/** Calls of one recognised key that have an entry each, a minute; the others share one. */
const SINGLE_ENTRIES_A_KEY = 20
/** Addresses that have an entry for calls without a known key, a minute; the others share one. */
const MAX_ADDRESSES = 32
/** What is kept while nothing can be written, about 1 MB; what comes beyond is counted in one entry. */
const MAX_WAITING = 2_000
const ENTRIES_A_COMMAND = 100

/**
 * Has refused calls written to the audit: off the way of their answers, and so that no caller can fill the disk or the
 * memory with them. A recognised key has an entry a call; callers without one share an entry an address and minute,
 * which is written when the minute has passed. A crash loses what was not written yet.
 */
export class RefusalRecorder {
  readonly #options: RefusalRecorderOptions
  readonly #timer: NodeJS.Timeout
  /** To be written. */
  #waiting: Refusals[] = []
  /** What did not fit into it. */
  #overflow: Refusals | undefined
  /** What is counted together in this minute, by whom it is of. */
  readonly #counted = new Map<string, Refusals>()
  /** In this minute. */
  readonly #singles = new Map<string, number>()
  #windowStartMs = 0
  #flushing: Promise<void> | null = null

  constructor(options: RefusalRecorderOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.flush(), INTERVAL_MS).unref()
  }

  record({ keyId, reason, call, origin }: RefusedCall): void {
    const nowMs = this.#options.clock.nowMs()
    this.#turnWindow(nowMs)
    const address = addressOf(origin)
    const once = { keyId, reason, call, address, requestId: null, count: 1, firstMs: nowMs, lastMs: nowMs }
    if (keyId === null) {
      this.#count(this.#groupOf(address), once)
      return
    }
    const singles = (this.#singles.get(keyId) ?? 0) + 1
    this.#singles.set(keyId, singles)
    if (singles > SINGLE_ENTRIES_A_KEY) this.#count(keyId, once)
    else this.#wait({ ...once, requestId: origin.requestId ?? null })
  }

  /** Writes what waits. Never rejects. */
  flush(): Promise<void> {
    this.#turnWindow(this.#options.clock.nowMs())
    this.#flushing ??= this.#write().finally(() => {
      this.#flushing = null
    })
    return this.#flushing
  }

  /** Writes the last ones. The writer must still run. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#flushing
    this.#endWindow()
    await this.flush()
  }

  /** A clock that is set back begins a new minute too. */
  #turnWindow(nowMs: number): void {
    if (nowMs >= this.#windowStartMs && nowMs < this.#windowStartMs + WINDOW_MS) return
    this.#endWindow()
    this.#windowStartMs = nowMs
  }

  #endWindow(): void {
    for (const refusals of this.#counted.values()) this.#wait(refusals)
    this.#counted.clear()
    this.#singles.clear()
  }

  #groupOf(address: string | null): string {
    const group = `address ${address}`
    return this.#counted.has(group) || this.#counted.size < MAX_ADDRESSES ? group : 'others'
  }

  #count(group: string, refusals: Refusals): void {
    const known = this.#counted.get(group)
    this.#counted.set(group, known === undefined ? refusals : merge(known, refusals))
  }

  #wait(refusals: Refusals): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(refusals)
    else this.#overflow = this.#overflow === undefined ? refusals : merge(this.#overflow, refusals)
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0 || this.#overflow !== undefined) {
        if (this.#waiting.length === 0 && this.#overflow !== undefined) {
          this.#waiting.push(this.#overflow)
          this.#overflow = undefined
        }
        const batch = this.#waiting.slice(0, ENTRIES_A_COMMAND)
        const { writer, onWritten } = this.#options
        onWritten(await writer.run('record-refusals', { refusals: batch }, { kind: 'installation' }))
        this.#waiting = this.#waiting.slice(batch.length)
      }
    } catch (error) {
      this.#options.onFailure(error)
    }
  }
}

/** What the two have in common stays; the rest is several. */
function merge(one: Refusals, other: Refusals): Refusals {
  const common = <Value>(a: Value, b: Value): Value | null => (a === b ? a : null)
  return {
    keyId: common(one.keyId, other.keyId),
    reason: one.reason === other.reason ? one.reason : 'several',
    call: common(one.call, other.call),
    address: common(one.address, other.address),
    requestId: null,
    count: one.count + other.count,
    firstMs: Math.min(one.firstMs, other.firstMs),
    lastMs: Math.max(one.lastMs, other.lastMs),
  }
}
