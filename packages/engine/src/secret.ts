import { inspect } from 'node:util'

const REDACTED = '[redacted]'

/** Carries a value that must not be printed: text, JSON and inspection all say `[redacted]`. */
export class Secret<Value = string> {
  readonly #value: Value

  constructor(value: Value) {
    this.#value = value
  }

  /** The value itself. Each call is a place to look at when asking where a secret can go. */
  reveal(): Value {
    return this.#value
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}
