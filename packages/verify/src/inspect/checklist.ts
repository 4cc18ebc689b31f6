import { CHECK_CODES, type Check, type CheckName, type Remedy } from './inspection.ts'

const NAMES = Object.keys(CHECK_CODES) as CheckName[]

/** The checks of one inspection, noted in any order. */
export class Checklist {
  readonly #checks = new Map<CheckName, Check>()

  holds(name: CheckName, detail: string): void {
    this.#checks.set(name, { name, code: CHECK_CODES[name], outcome: 'holds', detail })
  }

  fails(name: CheckName, detail: string, remedy: string | Remedy): void {
    const given = typeof remedy === 'string' ? { text: remedy } : remedy
    this.#checks.set(name, { name, code: CHECK_CODES[name], outcome: 'fails', detail, remedy: given })
  }

  unchecked(name: CheckName, detail: string): void {
    this.#checks.set(name, { name, code: CHECK_CODES[name], outcome: 'unchecked', detail })
  }

  /** Says that checks could not be made, unless something is known of them already. */
  leave(names: readonly CheckName[], detail: string): void {
    for (const name of names) if (!this.#checks.has(name)) this.unchecked(name, detail)
  }

  hasFailed(name: CheckName): boolean {
    return this.#checks.get(name)?.outcome === 'fails'
  }

  inOrder(): Check[] {
    return NAMES.flatMap((name) => this.#checks.get(name) ?? [])
  }
}
