import type { Writer } from '../commands/writer.ts'
import { ApartBound } from './apart-bound.ts'
import type { ProjectUse } from './project-use.ts'
import { startOfSpan } from './resolutions.ts'

export interface UsageRecorderOptions {
  readonly writer: Pick<Writer, 'run'>
  /** Hands over what verifiers have counted since it was last called. */
  readonly collect: () => readonly ProjectUse[]
  /** How long the counts of a day are kept. */
  readonly days: number
  /** Told when a batch could not be written; its counts are kept for the next one. */
  readonly onFailure: (error: unknown) => void
}

const INTERVAL_MS = 1_000
const PRUNE_INTERVAL_MS = 60_000
/** About 20 MB. What comes beyond it while nothing can be written is not counted. */
const MAX_UNWRITTEN = 50_000
/** Few enough that no other command waits for long. */
const USES_A_COMMAND = 1_000
const ACTOR = { kind: 'installation' } as const

/**
 * Writes usage to the database, once a second in one batch, so that no answer waits for it. A crash loses what was
 * counted since the last batch.
 */
export class UsageRecorder {
  readonly #options: UsageRecorderOptions
  readonly #timer: NodeJS.Timeout
  readonly #pruning: NodeJS.Timeout
  readonly #unwritten = new Map<string, ProjectUse>()
  readonly #apart = new ApartBound()
  #flushing: Promise<void> | null = null

  constructor(options: UsageRecorderOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.flush(), INTERVAL_MS).unref()
    this.#pruning = setInterval(() => void this.prune(), PRUNE_INTERVAL_MS).unref()
  }

  /** Keys whose use waits here to be written. */
  get unwritten(): number {
    return this.#unwritten.size
  }

  /** Writes what was counted so far. Never rejects. */
  flush(): Promise<void> {
    this.#flushing ??= this.#write().finally(() => {
      this.#flushing = null
    })
    return this.#flushing
  }

  /** Drops what is kept no longer. Never rejects. */
  async prune(): Promise<void> {
    try {
      while ((await this.#options.writer.run('prune-usage', { days: this.#options.days }, ACTOR)).more);
    } catch (error) {
      this.#options.onFailure(error)
    }
  }

  /** Writes the last batch. The writer must still run. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    clearInterval(this.#pruning)
    // One that runs already began before the last uses were counted.
    await this.#flushing
    await this.flush()
  }

  async #write(): Promise<void> {
    for (const use of this.#options.collect()) this.#count(this.#apart.bound(use))
    if (this.#unwritten.size === 0) return
    const uses = [...this.#unwritten.values()]
    this.#unwritten.clear()
    try {
      while (uses.length > 0) {
        const batch = uses.slice(0, USES_A_COMMAND)
        await this.#options.writer.run('record-usage', { uses: batch }, ACTOR)
        uses.splice(0, USES_A_COMMAND)
      }
    } catch (error) {
      for (const use of uses) this.#count(use)
      this.#options.onFailure(error)
    }
  }

  #count(use: ProjectUse): void {
    const minute = startOfSpan(use.atMs, 'minute')
    const { projectId, kind, keyId, subject, outcome, tags, ip } = use
    const name = JSON.stringify([projectId, minute, kind, keyId, subject, outcome, tags, ip])
    const known = this.#unwritten.get(name)
    if (known === undefined && this.#unwritten.size >= MAX_UNWRITTEN) return
    const count = (known?.count ?? 0) + use.count
    this.#unwritten.set(name, { ...use, count, atMs: Math.max(known?.atMs ?? 0, use.atMs) })
  }
}
