import type { Position } from '@claviger/verify'
import type { Kysely } from 'kysely'
import type { Clock } from '../clock.ts'
import type { CommandRunner } from '../commands/writer.ts'
import { newId, type Random } from '../random.ts'
import type { Schema } from '../storage/schema.ts'
import { MAX_ALLOW_CACHED_SECONDS, MAX_STALENESS_SECONDS } from './lease-times.ts'
import { VerifierRegistry } from './verifier-registry.ts'

const ACTOR = { kind: 'installation' } as const
/** A row is renewed so far ahead that a lease seldom waits for the disk. */
const AHEAD_MS = 60_000
const LONGEST_LEASE_MS = (MAX_STALENESS_SECONDS + MAX_ALLOW_CACHED_SECONDS) * 1000

/** What stands between a committed revocation and its being in effect everywhere (rule V8). */
export interface Reach {
  readonly effective: boolean
  /** Names of the verifiers, or what else it waits for. */
  readonly behind: readonly string[]
}

export interface EdgeGrantsParts {
  readonly clock: Clock
  readonly writer: CommandRunner
  readonly random: Random
  /** A clock that nobody sets (default: the machine's). */
  readonly monotonicMs?: () => number
}

/** Of all runs before this one: until when their leases last, and how long the longest does. */
interface FormerGrants {
  readonly untilMs: number
  readonly longestMs: number
}

/** The leases that this run of the server grants, and what those before it may still have running (rule L3). */
export class EdgeGrants {
  /** Another one each run. */
  readonly bootId: string
  readonly registry: VerifierRegistry
  readonly #clock: Clock
  readonly #writer: CommandRunner
  readonly #monotonicMs: () => number
  readonly #former: FormerGrants
  /** When this run began, by both clocks. */
  readonly #openedAtMs: number
  readonly #openedAtMonotonicMs: number
  #coveredUntilMs = 0
  #coveredLongestMs = 0
  #covering: Promise<void> | undefined

  private constructor(parts: EdgeGrantsParts, former: FormerGrants) {
    const { clock, writer, random, monotonicMs = () => performance.now() } = parts
    this.#clock = clock
    this.#writer = writer
    this.#monotonicMs = monotonicMs
    this.#former = former
    this.#openedAtMs = clock.nowMs()
    this.#openedAtMonotonicMs = monotonicMs()
    this.bootId = newId('boot', clock.nowMs(), random)
    this.registry = new VerifierRegistry(() => clock.nowMs(), monotonicMs)
  }

  /** Reads what former runs have granted. */
  static async open(reader: Kysely<Schema>, parts: EdgeGrantsParts): Promise<EdgeGrants> {
    const { untilMs, longestMs } = await reader
      .selectFrom('grants')
      .select(({ fn }) => [fn.max('until_ms').as('untilMs'), fn.max('longest_ms').as('longestMs')])
      .executeTakeFirstOrThrow()
    return new EdgeGrants(parts, { untilMs: untilMs ?? 0, longestMs: longestMs ?? 0 })
  }

  /**
   * Resolves once it is stored that leases of this run may last so long from now. Rejects when it cannot be: then none is
   * granted.
   */
  async cover(lastsMs: number): Promise<void> {
    // Twice over: the grant is made a moment later, when a renewal may have taken its time.
    const untilMs = this.#clock.nowMs() + 2 * lastsMs
    while (this.#coveredUntilMs < untilMs || this.#coveredLongestMs < lastsMs) {
      this.#covering ??= this.#renew(untilMs + AHEAD_MS, lastsMs).finally(() => {
        this.#covering = undefined
      })
      await this.#covering
    }
  }

  /** Whether no verifier can answer from before the position any more, as of this moment. */
  reach(projectId: string, position: Position, epochBeganAtMs: number): Reach {
    const behind = this.registry.behind(projectId, position).map(({ id, name }) => name ?? id)
    if (!this.#areFormerOver()) behind.push('what a former run of the server granted')
    // Nobody knows what was granted before a restore: the backup is older than that (rule E3).
    if (isRestored(position) && this.#sinceMs(epochBeganAtMs) < LONGEST_LEASE_MS) {
      behind.push('what was granted before the restore')
    }
    return { effective: behind.length === 0, behind }
  }

  /** By the row; and this run has lasted for longer than any of them, for the clock of the row may have been set since. */
  #areFormerOver(): boolean {
    return this.#clock.nowMs() >= this.#former.untilMs && this.#ranMs() >= this.#former.longestMs
  }

  /** How long ago something was, though the clock may have been set forward in this run. */
  #sinceMs(atMs: number): number {
    return Math.min(this.#clock.nowMs(), this.#openedAtMs + this.#ranMs()) - atMs
  }

  #ranMs(): number {
    return this.#monotonicMs() - this.#openedAtMonotonicMs
  }

  async #renew(untilMs: number, longestMs: number): Promise<void> {
    const args = { bootId: this.bootId, untilMs, longestMs, areFormerOver: this.#areFormerOver() }
    await this.#writer.run('cover-grants', args, ACTOR)
    this.#coveredUntilMs = Math.max(this.#coveredUntilMs, untilMs)
    this.#coveredLongestMs = Math.max(this.#coveredLongestMs, longestMs)
  }
}

/** Every epoch but a project's first began with a restore (rule E1). */
function isRestored({ epoch }: Position): boolean {
  return Number.parseInt(epoch, 10) > 1
}
