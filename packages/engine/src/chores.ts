import type { AuditCheckpoint } from './audit/checkpoint.ts'
import { CheckpointKeeper } from './audit/checkpoint-keeper.ts'
import { RefusalRecorder } from './audit/refusal-recorder.ts'
import type { Problem } from './commands/messages.ts'
import type { OpenVerifiers } from './open-verifiers.ts'
import type { EngineParts } from './scope.ts'
import { turnDueRings } from './signing/turn-due-rings.ts'
import { Pruner } from './storage/pruner.ts'
import { UsageRecorder } from './usage/usage-recorder.ts'

export interface ChoresOptions {
  readonly parts: EngineParts
  readonly verifiers: OpenVerifiers
  readonly log: (problem: Problem) => void
  readonly onAuditCheckpoint: (checkpoint: AuditCheckpoint) => void
}

const RULE_EXPIRY_INTERVAL_MS = 3_600_000
/** How late a step of a keyring can be taken. */
const KEYRING_INTERVAL_MS = 60_000

/** What an engine does by itself, now and then. What fails is written to its log, and tried again. */
export class Chores {
  readonly usage: UsageRecorder
  readonly refusals: RefusalRecorder
  readonly checkpoints: CheckpointKeeper
  readonly #options: ChoresOptions
  readonly #pruner: Pruner
  readonly #expiry: NodeJS.Timeout
  readonly #rotation: NodeJS.Timeout
  /** The turn of the keyrings that is under way. */
  #turning: Promise<void> | undefined

  constructor(options: ChoresOptions) {
    const { parts, verifiers, log, onAuditCheckpoint } = options
    const { writer, clock } = parts
    const logging =
      (message: string) =>
      (error: unknown): void =>
        log({ message, cause: String(error) })
    this.#options = options
    this.usage = new UsageRecorder({
      writer,
      collect: () => [...parts.issued.take(), ...verifiers.takeUses()],
      days: parts.usageDays,
      onFailure: logging('Usage could not be written; it is kept for later.'),
    })
    this.refusals = new RefusalRecorder({
      writer,
      clock,
      onWritten: (projectIds) => this.checkpoints.noteEntries(projectIds),
      onFailure: logging('Refused calls could not be audited; they are kept for later.'),
    })
    this.checkpoints = new CheckpointKeeper({
      writer,
      onCheckpoint: onAuditCheckpoint,
      onFailure: (message, cause) => log({ message, cause: String(cause) }),
    })
    this.#pruner = new Pruner({
      writer,
      onFailure: logging('What is over could not be forgotten; it is tried again in a minute.'),
    })
    this.#expiry = setInterval(() => verifiers.dropExpiredRules(), RULE_EXPIRY_INTERVAL_MS).unref()
    this.#rotation = setInterval(() => void this.turnKeyrings(), KEYRING_INTERVAL_MS).unref()
  }

  /** Takes the steps that the keyrings owe by their schedules. Joins the turn that is under way. Never rejects. */
  turnKeyrings(): Promise<void> {
    const { parts, log } = this.#options
    const logFailure = (error: unknown): void =>
      log({
        message: 'A keyring could not be rotated; it is tried again in a minute.',
        cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
      })
    this.#turning ??= turnDueRings(parts, logFailure)
      .catch(logFailure)
      .finally(() => {
        this.#turning = undefined
      })
    return this.#turning
  }

  /** Does what cannot wait, and no more. The writer must still run. */
  async close(): Promise<void> {
    clearInterval(this.#expiry)
    clearInterval(this.#rotation)
    await this.#turning
    await this.#pruner.close()
    await this.usage.close()
    await this.refusals.close()
    await this.checkpoints.close()
  }
}
