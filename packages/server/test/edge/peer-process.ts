import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { VerifyRequest } from '@claviger/verify'
import { environmentWith, type SourceChange } from '../faults/child-server.ts'

/** What a peer is told: to verify, to have its wall clock set, or to have the other one stand still or go on. */
type Told =
  | { readonly request: VerifyRequest }
  | { readonly addMs: number }
  | { readonly standsStill: boolean }

export type PeerMessage = { readonly number: number } & Told

export interface PeerReply {
  readonly number: number
  readonly outcome?: string
  readonly askedAt?: string
}

export interface PeerAnswer {
  /** `ok`, or the code of the refusal. */
  readonly outcome: string
  /** When the question was taken up there, nanoseconds of the clock that all processes share. */
  readonly askedAt: bigint
}

/** A verifier in a process of its own (peer.ts). */
export class PeerProcess {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #waiting = new Map<number, (reply: PeerReply) => void>()
  #numbers = 0

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
  }

  /** With these texts of the shipped code replaced. */
  static async start(url: string, key: string, changes: readonly SourceChange[] = []): Promise<PeerProcess> {
    const program = new URL('./peer.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [program, url], { env: environmentWith(changes) })
    child.stderr.pipe(process.stderr)
    const peer = new PeerProcess(child)
    createInterface({ input: child.stdout }).on('line', (line) => peer.#take(JSON.parse(line)))
    const ready = new Promise<unknown>((resolve, reject) => {
      child.once('exit', () => reject(new Error('The peer ended before it was ready.')))
      peer.#waiting.set(0, resolve)
    })
    child.stdin.write(`${key}\n`)
    await ready
    return peer
  }

  async ask(request: VerifyRequest): Promise<PeerAnswer> {
    const { outcome = '', askedAt = '' } = await this.#tell({ request })
    return { outcome, askedAt: BigInt(askedAt) }
  }

  /** Sets its wall clock forward, or back. */
  async setClock(addMs: number): Promise<void> {
    await this.#tell({ addMs })
  }

  /** Its monotonic clock stands still, as while a machine sleeps, or goes on from there. */
  async standStill(standsStill: boolean): Promise<void> {
    await this.#tell({ standsStill })
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

  #tell(told: Told): Promise<PeerReply> {
    const number = ++this.#numbers
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve)
      this.#child.stdin.write(`${JSON.stringify({ number, ...told })}\n`)
    })
  }

  #take(reply: PeerReply): void {
    this.#waiting.get(reply.number)?.(reply)
    this.#waiting.delete(reply.number)
  }
}
