import type { Verdict, VerdictCode } from '../verdict.ts'

/** How many verdicts were alike. */
export interface VerdictCount {
  /** `none`: the credential was not recognised, so it is neither. */
  readonly kind: 'key' | 'token' | 'none'
  readonly outcome: 'ok' | VerdictCode
  readonly count: number
}

/**
 * Counts verdicts, for whoever watches a verifier. What passes costs one addition, because a key seen before costs a
 * microsecond in all.
 */
export class VerdictCounts {
  #keysPassed = 0
  #tokensPassed = 0
  readonly #refused = {
    key: new Map<VerdictCode, number>(),
    token: new Map<VerdictCode, number>(),
    none: new Map<VerdictCode, number>(),
  }

  /** Answers the verdict itself, so that it can be counted where it is returned. */
  note<Given extends Verdict>(verdict: Given): Given {
    if (!verdict.ok) {
      const refused = this.#refused[verdict.kind ?? 'none']
      refused.set(verdict.code, (refused.get(verdict.code) ?? 0) + 1)
    } else if (verdict.kind === 'key') this.#keysPassed++
    else this.#tokensPassed++
    return verdict
  }

  /** What was counted since the verifier was opened; combinations that never occurred are left out. */
  list(): readonly VerdictCount[] {
    const passed: VerdictCount[] = [
      { kind: 'key', outcome: 'ok', count: this.#keysPassed },
      { kind: 'token', outcome: 'ok', count: this.#tokensPassed },
    ]
    const refused = Object.entries(this.#refused).flatMap(([kind, counts]) =>
      [...counts].map(([outcome, count]) => ({ kind: kind as VerdictCount['kind'], outcome, count })),
    )
    return [...passed, ...refused]
  }
}
