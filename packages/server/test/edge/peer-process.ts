import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface PeerAnswer {
  /** `ok`, or the code of the refusal. */
  readonly outcome: string
  /** When the question was taken up there, nanoseconds of the clock that all processes share. */
  readonly askedAt: bigint
}

/** A verifier in a process of its own (peer.ts). */
export class PeerProcess {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #waiting: ((answer: PeerAnswer) => void)[] = []

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
  }

  static async start(url: string, key: string): Promise<PeerProcess> {
    const program = new URL('./peer.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [program, url])
    child.stderr.pipe(process.stderr)
    const peer = new PeerProcess(child)
    const ready = new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error('The peer ended before it was ready.')))
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line === 'ready') resolve()
        else peer.#take(line)
      })
    })
    child.stdin.write(`${key}\n`)
    await ready
    return peer
  }

  /** Asks after those that were asked before. */
  ask(credential: string): Promise<PeerAnswer> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#child.stdin.write(`${credential}\n`)
    })
  }

  /** SIGSTOP, and SIGCONT. */
  pause(): void {
    this.#child.kill('SIGSTOP')
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  async close(): Promise<void> {
    this.resume()
    const exited = once(this.#child, 'exit')
    this.#child.stdin.end()
    await exited
  }

  #take(line: string): void {
    const { outcome, askedAt } = JSON.parse(line)
    this.#waiting.shift()?.({ outcome, askedAt: BigInt(askedAt) })
  }
}
