import { formatPosition } from '../changes/position.ts'
import type { Verdict } from '../verdict.ts'
import type { Verifier, VerifierStatistics } from '../verifier/verifier.ts'
import type { VerifyRequest } from '../verifier/verify-request.ts'
import type { EdgeClock } from './edge-clock.ts'
import type { EdgeSource } from './edge-source.ts'
import type { SnapshotKeeper } from './snapshot-keeper.ts'
import type { UsageReporter } from './usage-reporter.ts'

/** A verifier's figures, and how it stands with its server. */
export interface EdgeStatistics extends VerifierStatistics {
  /** The id under which the server lists it. */
  readonly id: string
  /** How far it has applied the feed, `epoch:number`; null: it knows nothing yet. */
  readonly position: string | null
  /** How many changes it is behind what the server last told; null: it is of another epoch. */
  readonly lag: number | null
  /** Whether the stream of changes is open. */
  readonly connected: boolean
  /** Whether verdicts come from memory now. */
  readonly fresh: boolean
  readonly leaseMsLeft: number
  /** How long ago the server was last heard of, milliseconds; null: never. */
  readonly silentMs: number | null
  /** Counts of uses that the server has not taken yet. */
  readonly unreportedUses: number
  /** The part of verifications that needed no look-up and no signature to be checked, 0 to 1; null: there were none. */
  readonly hitRate: number | null
}

/** Decides in this process, on what a Claviger server tells. */
export interface EdgeVerifier {
  /** The verdict; see {@link Verifier.verify}. `unavailable` when there is no lease and the server cannot be asked. */
  verify(request: VerifyRequest): Promise<Verdict>
  /** The verdict, if it can be given at once from what is known here; see {@link Verifier.verifyCached}. */
  verifyCached(request: VerifyRequest): Verdict | undefined
  statistics(): EdgeStatistics
  /** Answers nothing any more, and gives the lease back. Never rejects. */
  close(): Promise<void>
}

/** How often rules are dropped that no token can meet any more. */
const DROP_RULES_MS = 600_000

export interface EdgeVerifierParts {
  readonly verifier: Verifier
  readonly source: EdgeSource
  readonly clock: EdgeClock
  readonly keeper: SnapshotKeeper | undefined
  readonly usage: UsageReporter
}

export class OpenEdgeVerifier implements EdgeVerifier {
  readonly #parts: EdgeVerifierParts
  readonly #verifier: Verifier
  #cancelDropping = (): void => undefined
  #closed: Promise<void> | undefined

  constructor(parts: EdgeVerifierParts) {
    this.#parts = parts
    this.#verifier = parts.verifier
    parts.usage.start()
    this.#dropRulesLater()
  }

  verify(request: VerifyRequest): Promise<Verdict> {
    return this.#verifier.verify(request)
  }

  verifyCached(request: VerifyRequest): Verdict | undefined {
    return this.#verifier.verifyCached(request)
  }

  statistics(): EdgeStatistics {
    const { source, usage } = this.#parts
    const statistics = this.#verifier.statistics()
    const { position, head, ...state } = source.state()
    return {
      ...statistics,
      ...state,
      id: source.id,
      position: position === undefined ? null : formatPosition(position),
      lag:
        position === undefined || head?.epoch !== position.epoch
          ? null
          : Math.max(0, head.number - position.number),
      unreportedUses: usage.waiting,
      hitRate: hitRateOf(statistics),
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /** What the server shows with it. */
  reported(): Readonly<Record<string, number>> {
    const statistics = this.#verifier.statistics()
    const { cachedKeys, cachedTokens, keyFills, tokenChecks, revocationRules } = statistics
    const verdicts = countOf(statistics)
    return { verdicts, cachedKeys, cachedTokens, keyFills, tokenChecks, revocationRules }
  }

  async #close(): Promise<void> {
    this.#cancelDropping()
    this.#verifier.close()
    const { source, usage, keeper } = this.#parts
    await Promise.all([source.release(), usage.close(), keeper?.close()])
  }

  #dropRulesLater(): void {
    this.#cancelDropping = this.#parts.clock.after(DROP_RULES_MS, () => {
      this.#verifier.dropExpiredRules()
      this.#dropRulesLater()
    })
  }
}

function countOf({ verdicts }: VerifierStatistics): number {
  return verdicts.reduce((sum, { count }) => sum + count, 0)
}

function hitRateOf(statistics: VerifierStatistics): number | null {
  const verdicts = countOf(statistics)
  const misses = statistics.keyFills + statistics.tokenChecks
  return verdicts === 0 ? null : Math.max(0, 1 - misses / verdicts)
}
