import type { Writer } from '../commands/writer.ts'

export interface PrunerOptions {
  readonly writer: Pick<Writer, 'run'>
  /** Told when something could not be forgotten; it is tried again at the next time. */
  readonly onFailure: (error: unknown) => void
}

const INTERVAL_MS = 60_000
const COMMANDS = ['prune-sessions', 'prune-limit-counters'] as const
const ACTOR = { kind: 'installation' } as const

/**
 * Forgets rows that nothing can need any more, a small command after another, so that no other command waits for long.
 * What a crash leaves is found again: each command looks anew, and what it forgets commits at once.
 */
export class Pruner {
  readonly #options: PrunerOptions
  readonly #timer: NodeJS.Timeout
  #pruning: Promise<void> | null = null
  #closed = false

  constructor(options: PrunerOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.prune(), INTERVAL_MS).unref()
  }

  /** Forgets all that can be forgotten now. Never rejects. */
  prune(): Promise<void> {
    this.#pruning ??= this.#prune().finally(() => {
      this.#pruning = null
    })
    return this.#pruning
  }

  /** Waits for the command that runs, and not for the rest. The writer must still run. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#pruning
  }

  async #prune(): Promise<void> {
    const { writer, onFailure } = this.#options
    try {
      for (const command of COMMANDS) {
        while (!this.#closed && (await writer.run(command, null, ACTOR)).more);
      }
    } catch (error) {
      onFailure(error)
    }
  }
}
