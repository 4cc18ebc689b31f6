import type { KeyUse } from '@claviger/verify'
import type { Writer } from '../commands/writer.ts'

export interface UsageRecorderOptions {
  readonly writer: Pick<Writer, 'run'>
  /** Hands over what verifiers have counted since it was last called. */
  readonly collect: () => readonly KeyUse[]
  /** Told when a batch could not be written; its counts are kept for the next one. */
  readonly onFailure: (error: unknown) => void
}

const INTERVAL_MS = 1_000
/** About 20 MB. What comes beyond it while nothing can be written is not counted. */
const MAX_KEYS = 100_000
/** Keys a command: few enough that no other command waits for long, and that their values fit into one statement. */
const KEYS_A_COMMAND = 2_000

/**
 * Writes the usage of keys to the database, once a second in one batch, so that no answer waits for it. A crash loses
 * what was counted since the last batch.
 */
export class UsageRecorder {
  readonly #options: UsageRecorderOptions
  readonly #timer: NodeJS.Timeout
  readonly #unwritten = new Map<string, KeyUse>()
  #flushing: Promise<void> | null = null

  constructor(options: UsageRecorderOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.flush(), INTERVAL_MS)
    this.#timer.unref()
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

  /** Writes the last batch. The writer must still run. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    // One that runs already began before the last uses were counted.
    await this.#flushing
    await this.flush()
  }

  async #write(): Promise<void> {
    for (const use of this.#options.collect()) this.#count(use)
    if (this.#unwritten.size === 0) return
    const uses = [...this.#unwritten.values()]
    this.#unwritten.clear()
    try {
      while (uses.length > 0) {
        const batch = uses.slice(0, KEYS_A_COMMAND)
        await this.#options.writer.run('record-usage', { uses: batch }, { kind: 'installation' })
        uses.splice(0, KEYS_A_COMMAND)
      }
    } catch (error) {
      for (const use of uses) this.#count(use)
      this.#options.onFailure(error)
    }
  }

  #count(use: KeyUse): void {
    const known = this.#unwritten.get(use.keyId)
    if (known === undefined && this.#unwritten.size >= MAX_KEYS) return
    this.#unwritten.set(use.keyId, {
      keyId: use.keyId,
      count: (known?.count ?? 0) + use.count,
      lastUsedAtMs: Math.max(known?.lastUsedAtMs ?? 0, use.lastUsedAtMs),
    })
  }
}
