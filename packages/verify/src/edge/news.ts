import type { EdgeClock } from './edge-clock.ts'

/** Wakes those who wait for something to change. */
export class News {
  readonly #clock: EdgeClock
  readonly #waiting = new Set<() => void>()

  constructor(clock: EdgeClock) {
    this.#clock = clock
  }

  tell(): void {
    for (const look of [...this.#waiting]) look()
  }

  /** Resolves at the first news after which it suits, or when the time is up. */
  next(ms: number, suits: () => boolean = () => true): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel()
        this.#waiting.delete(look)
        resolve()
      }
      const look = (): void => {
        if (suits()) end()
      }
      const cancel = this.#clock.after(ms, end)
      this.#waiting.add(look)
    })
  }
}
