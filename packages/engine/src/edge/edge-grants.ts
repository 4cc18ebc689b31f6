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

/** The leases that this run of the server grants, and what those before it may still have running (rule L3). */
export class EdgeGrants {
  /** Another one each run. */
  readonly bootId: string
  readonly registry: VerifierRegistry
  readonly #clock: Clock
  readonly #writer: CommandRunner
  readonly #formerUntilMs: number
  #coveredUntilMs = 0
  #covering: Promise<void> | undefined

  private constructor(
    { clock, writer, random }: { clock: Clock; writer: CommandRunner; random: Random },
    formerUntilMs: number,
  ) {
    this.#clock = clock
    this.#writer = writer
    this.#formerUntilMs = formerUntilMs
    this.bootId = newId('boot', clock.nowMs(), random)
    this.registry = new VerifierRegistry(() => clock.nowMs())
  }

  /** Reads what former runs have granted. */
  static async open(
    reader: Kysely<Schema>,
    parts: { clock: Clock; writer: CommandRunner; random: Random },
  ): Promise<EdgeGrants> {
    const { until } = await reader
      .selectFrom('grants')
      .select(({ fn }) => fn.max('until_ms').as('until'))
      .executeTakeFirstOrThrow()
    return new EdgeGrants(parts, until ?? 0)
  }

  /** Resolves once it is stored that leases of this run may last so long. Rejects when it cannot be: then none is granted. */
  async cover(untilMs: number): Promise<void> {
    while (this.#coveredUntilMs < untilMs) {
      this.#covering ??= this.#renew(untilMs + AHEAD_MS).finally(() => {
        this.#covering = undefined
      })
      await this.#covering
    }
  }

  /** Whether no verifier can answer from before the position any more, as of this moment. */
  reach(projectId: string, position: Position, epochBeganAtMs: number): Reach {
    const nowMs = this.#clock.nowMs()
    const behind = this.registry.behind(projectId, position).map(({ id, name }) => name ?? id)
    if (nowMs < this.#formerUntilMs) behind.push('what a former run of the server granted')
    // Nobody knows what was granted before a restore: the backup is older than that (rule E3).
    if (isRestored(position) && nowMs < epochBeganAtMs + LONGEST_LEASE_MS) {
      behind.push('what was granted before the restore')
    }
    return { effective: behind.length === 0, behind }
  }

  async #renew(untilMs: number): Promise<void> {
    await this.#writer.run('cover-grants', { bootId: this.bootId, untilMs }, ACTOR)
    this.#coveredUntilMs = Math.max(this.#coveredUntilMs, untilMs)
  }
}

/** Every epoch but a project's first began with a restore (rule E1). */
function isRestored({ epoch }: Position): boolean {
  return Number.parseInt(epoch, 10) > 1
}
