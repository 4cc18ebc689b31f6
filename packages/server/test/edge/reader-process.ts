import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** Opens streams of a group, closes them all, or asks how they stand. */
export type ReaderMessage = { readonly group: string } & (
  | {
      readonly count: number
      readonly port: number
      readonly key: string
      readonly after: string
      /** Whether they read what comes. */
      readonly reads: boolean
    }
  | { readonly closes: true }
  | { readonly asks: true }
)

export interface GroupState {
  /** Streams that have begun. */
  readonly greeted: number
  readonly closed: number
  /** Of their ends, as the server's kernel lists them. */
  readonly ports: readonly number[]
  /** What the server said where it ended one. */
  readonly ends: readonly string[]
  /** By position: how many streams have had the change, and when the last one had it. */
  readonly seen: Readonly<Record<string, { readonly streams: number; readonly lastAtNs: string }>>
}

/** Readers of the feed in a process of their own (reader.ts). */
export class ReaderProcess {
  readonly #child: ChildProcess = fork(new URL('./reader.ts', import.meta.url), { execArgv: [] })

  /** One message at a time. */
  async tell(message: ReaderMessage): Promise<GroupState> {
    const answered = once(this.#child, 'message')
    this.#child.send(message)
    const [state] = await answered
    return state
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.disconnect()
    await exited
  }
}
