import type { Writer } from '../commands/writer.ts'
import { type AuditCheckpoint, checkpointOf } from './checkpoint.ts'

export interface CheckpointKeeperOptions {
  readonly writer: Pick<Writer, 'run' | 'onChanges'>
  /** Told of each checkpoint, once it is stored: it is worth something where nobody else can reach it. */
  readonly onCheckpoint: (checkpoint: AuditCheckpoint) => void
  readonly onFailure: (message: string, cause: unknown) => void
}

const INTERVAL_MS = 60_000
/** Changes since the last checkpoints after which the next are not waited for. */
const MAX_CHANGES = 1_000

/**
 * Has checkpoints made once a minute where there was something new, after each thousand changes, and at the end. What
 * was cut off after the last one can be missed without a trace: that bounds how much that is.
 */
export class CheckpointKeeper {
  readonly #options: CheckpointKeeperOptions
  readonly #timer: NodeJS.Timeout
  readonly #stop: () => void
  #changes = 0
  /** The projects with something new. Null at the start, and after a failure: it may be any. */
  #grown: Set<string> | null = null
  #making: Promise<void> | null = null

  constructor(options: CheckpointKeeperOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.make(), INTERVAL_MS).unref()
    this.#stop = options.writer.onChanges((projectId, { facts }) => {
      if (facts.every(({ type }) => type === 'audit-checkpoint')) return
      this.noteEntries([projectId])
      this.#changes++
      if (this.#changes >= MAX_CHANGES) void this.make()
    })
  }

  /** To be told of entries that came without a change. */
  noteEntries(projectIds: readonly string[]): void {
    for (const id of projectIds) this.#grown?.add(id)
  }

  /** Makes the checkpoints that are due. Never rejects. */
  make(): Promise<void> {
    this.#making ??= this.#make().finally(() => {
      this.#making = null
    })
    return this.#making
  }

  /** Makes the last ones. The writer must still run. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#stop()
    await this.#making
    await this.make()
  }

  async #make(): Promise<void> {
    const { writer, onCheckpoint, onFailure } = this.#options
    const projectIds = this.#grown === null ? null : [...this.#grown]
    this.#changes = 0
    this.#grown = new Set()
    if (projectIds?.length === 0) return
    try {
      const { checkpoints, broken } = await writer.run(
        'make-audit-checkpoints',
        { projectIds },
        { kind: 'installation' },
      )
      for (const point of checkpoints) onCheckpoint(checkpointOf(point))
      for (const projectId of broken) {
        onFailure(
          `The audit chain of ${projectId} was altered: run claviger audit verify.`,
          'The entry that the last checkpoint signed is not there any more.',
        )
      }
    } catch (error) {
      this.#grown = null
      onFailure('Audit checkpoints could not be made; they are tried again in a minute.', error)
    }
  }
}
