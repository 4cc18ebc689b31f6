import { comparePositions, type Position } from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import { MAX_ALLOW_CACHED_SECONDS, MAX_STALENESS_SECONDS } from './lease-times.ts'

/** A verifier in another process, as its last request for a lease described it. */
export interface EdgeVerifierState {
  readonly id: string
  /** The management key that it reads the feed with; empty: the embedding program. */
  readonly keyId: string
  readonly name: string | null
  /** Null: not known. */
  readonly address: string | null
  readonly applied: Position
  readonly statistics: Readonly<Record<string, number>>
  readonly lastSeenAtMs: number
  readonly grantedUntilMs: number
}

/** How long a grant lasts by the clock that nobody sets. */
interface Entry {
  readonly state: EdgeVerifierState
  readonly lapsesAtMonotonicMs: number
}

/** What a verifier asks a lease with. */
export type Report = Omit<EdgeVerifierState, 'lastSeenAtMs' | 'grantedUntilMs'> & {
  readonly allowCachedSeconds: number
}

const HOUR_MS = 3_600_000
/** A project’s: who makes names up must not fill the memory. */
const MAX_VERIFIERS = 20_000

/**
 * Who holds a lease of this run, and how far each has applied its project's feed: what a receipt is made of (rule V8). A
 * grant counts until both the clock on the wall and the one that nobody sets say that it is over.
 */
export class VerifierRegistry {
  readonly #nowMs: () => number
  readonly #monotonicMs: () => number
  readonly #projects = new Map<string, Map<string, Entry>>()
  readonly #waiting = new Set<() => void>()

  constructor(nowMs: () => number, monotonicMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
    this.#monotonicMs = monotonicMs
  }

  /** Notes what the verifier says, and that it is granted a lease from now. */
  grant(projectId: string, { allowCachedSeconds, ...report }: Report): EdgeVerifierState {
    const nowMs = this.#nowMs()
    const lastsMs = (MAX_STALENESS_SECONDS + allowCachedSeconds) * 1000
    const state = { ...report, lastSeenAtMs: nowMs, grantedUntilMs: nowMs + lastsMs }
    const verifiers = this.#projects.get(projectId) ?? new Map<string, Entry>()
    this.#projects.set(projectId, verifiers)
    // By its key too: nobody reports for, or releases, what another key's verifier holds.
    const name = nameOf(report)
    const before = verifiers.get(name)
    if (before === undefined && verifiers.size >= MAX_VERIFIERS) {
      throw new CodedError(
        'too_many_requests',
        `${MAX_VERIFIERS} verifiers of the project were heard of lately, as many as there may be.`,
      )
    }
    // A shorter bound than before does not take back what was granted.
    const lapsesAtMonotonicMs = Math.max(this.#monotonicMs() + lastsMs, before?.lapsesAtMonotonicMs ?? 0)
    const grantedUntilMs = Math.max(state.grantedUntilMs, before?.state.grantedUntilMs ?? 0)
    verifiers.set(name, { state: { ...state, grantedUntilMs }, lapsesAtMonotonicMs })
    this.#forgetOld(verifiers, nowMs)
    for (const wake of this.#waiting) wake()
    return state
  }

  /** The verifier answers nothing any more. */
  release(projectId: string, verifier: Pick<EdgeVerifierState, 'id' | 'keyId'>): void {
    this.#projects.get(projectId)?.delete(nameOf(verifier))
    for (const wake of this.#waiting) wake()
  }

  list(projectId: string): readonly EdgeVerifierState[] {
    return [...(this.#projects.get(projectId)?.values() ?? [])].map(({ state }) => state)
  }

  /** How many, of all projects, may answer from their caches now, and how many that were heard of lately may not. */
  counts(): { readonly leased: number; readonly lapsed: number } {
    let leased = 0
    let lapsed = 0
    for (const verifiers of this.#projects.values()) {
      for (const entry of verifiers.values()) {
        if (this.#runs(entry)) leased++
        else lapsed++
      }
    }
    return { leased, lapsed }
  }

  /** Those that may still answer from before the position. */
  behind(projectId: string, position: Position): readonly EdgeVerifierState[] {
    const entries = [...(this.#projects.get(projectId)?.values() ?? [])]
    return entries
      .filter((entry) => this.#runs(entry) && comparePositions(entry.state.applied, position) < 0)
      .map(({ state }) => state)
  }

  /** Resolves when somebody has reported, was released, or `ms` have passed. */
  async nextReport(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    const timer = setTimeout(resolve, ms)
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(resolve)
    }
  }

  #runs({ state, lapsesAtMonotonicMs }: Entry): boolean {
    return this.#nowMs() < state.grantedUntilMs || this.#monotonicMs() < lapsesAtMonotonicMs
  }

  /** Shown for an hour after it was last heard of, so that people see who is missing. */
  #forgetOld(verifiers: Map<string, Entry>, nowMs: number): void {
    const keptMs = HOUR_MS + MAX_ALLOW_CACHED_SECONDS * 1000
    for (const [id, entry] of verifiers) {
      if (nowMs - entry.state.lastSeenAtMs > keptMs && !this.#runs(entry)) verifiers.delete(id)
    }
  }
}

function nameOf({ keyId, id }: Pick<EdgeVerifierState, 'id' | 'keyId'>): string {
  return `${keyId} ${id}`
}
