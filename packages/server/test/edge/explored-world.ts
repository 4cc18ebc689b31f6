import type { Change, KeyRecord, Position, Verdict } from '@claviger/verify'
import { MAX_STALENESS_SECONDS } from '../../../engine/src/edge/lease-times.ts'
import { VerifierRegistry } from '../../../engine/src/edge/verifier-registry.ts'
import type { EdgeClock } from '../../../verify/src/edge/edge-clock.ts'
import { EdgeSource } from '../../../verify/src/edge/edge-source.ts'
import { EdgeError, type EdgeTransport, type FeedListener } from '../../../verify/src/edge/edge-transport.ts'
import { Verifier } from '../../../verify/src/verifier/verifier.ts'
import { makeKey } from '../../../verify/test/credentials.ts'

/** Time that passes, and what the verifier's machine does meanwhile. */
export type ClockStep =
  /** So many milliseconds. */
  | number
  /** It sleeps for so long: its monotonic clock stands still. */
  | { readonly sleepsMs: number }
  /** Somebody sets the clock on its wall. */
  | { readonly setByMs: number }

/** What may happen in a small case, and how often. */
export interface SmallCase {
  readonly name: string
  readonly clockSteps: readonly ClockStep[]
  /** Changes of something else, before the one that takes the key away and after it. */
  readonly changesBefore: number
  readonly changesAfter: number
  readonly cuts: number
  readonly lostAnswers: number
  /** Verifications that begin sometime. Without any the key is known from the start. */
  readonly verifications: number
  /** The feed is held back from the start. */
  readonly isFeedHeld?: boolean
}

/** Something that can happen next. */
export interface Step {
  readonly label: string
  run(): void
}

interface Call {
  readonly label: string
  serve(): void
  /** Set: the server has answered, and the answer is on its way. */
  deliver: (() => void) | undefined
  fail(): void
}

interface Stream {
  readonly listener: FeedListener
  position: number
  fail(error: Error): void
}

interface Timer {
  readonly atMs: number
  readonly act: () => void
}

const EPOCH = '1-00000000'
const PROJECT = 'default'
const START_MS = Date.UTC(2026, 10, 25)
const LEASE_MS = MAX_STALENESS_SECONDS * 1000
/** Longer than any chain of promises here. */
const TURNS = 80

/**
 * A server and one verifier, of the shipped code, between which every request, answer and event waits for its turn, as
 * the clock does. Whoever explores it decides what happens next.
 */
export class ExploredWorld {
  readonly #case: SmallCase
  readonly #key = makeKey({ pos: { epoch: EPOCH, number: 1 } })
  readonly #changes: Change[] = []
  readonly #calls = new Set<Call>()
  readonly #streams = new Set<Stream>()
  readonly #timers = new Set<Timer>()
  readonly #registry = new VerifierRegistry(
    () => START_MS + this.#ms,
    () => this.#ms,
  )
  #verifier: Verifier | undefined
  /** How much time has passed. */
  #ms = 0
  /** What the verifier's clocks show beside that. */
  #wallAheadMs = 0
  #sleptMs = 0
  #clockSteps = 0
  #cuts = 0
  #lost = 0
  #verifications = 0
  #takenAt: { readonly position: Position; readonly ms: number } | undefined
  #wasEffective = false
  /** What must never be, and was. */
  violation: string | undefined

  constructor(given: SmallCase) {
    this.#case = given
  }

  /** Up to where a verifier has its first lease, and the key where the case wants it. */
  async open(): Promise<void> {
    const source = new EdgeSource({
      transport: this.#transport(),
      clock: this.#clock(),
      randomId: () => 'r'.repeat(32),
      random: () => 0.5,
      allowCachedSeconds: 0,
      onEvent: () => undefined,
      statistics: () => ({}),
      startTimeoutMs: Number.POSITIVE_INFINITY,
    })
    const opening = Verifier.open({ source })
    await this.settle()
    await this.#finishCalls()
    this.#verifier = await opening
    if (this.#case.verifications === 0) {
      const verifying = this.#verifier.verify({ credential: this.#key.text })
      await this.settle()
      await this.#finishCalls()
      await verifying
    }
    this.#look()
  }

  /** Lets everything run that waits for nothing. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await undefined
  }

  /** Notes whether anything is the case that must never be. To be called after each step. */
  look(): void {
    this.#look()
  }

  steps(): readonly Step[] {
    const steps: Step[] = []
    const { clockSteps, changesBefore, changesAfter, cuts, lostAnswers, verifications, isFeedHeld } =
      this.#case
    const made = this.#changes.length
    if (made === changesBefore) {
      steps.push({ label: 'take the key away', run: () => this.#commit('key') })
    } else if (made < changesBefore + 1 + changesAfter) {
      steps.push({ label: 'change something else', run: () => this.#commit('other') })
    }
    if (this.#verifications < verifications) steps.push({ label: 'verify', run: () => this.#verify() })
    for (const call of this.#calls) {
      if (call.deliver === undefined) steps.push({ label: `serve ${call.label}`, run: () => call.serve() })
      else steps.push({ label: `deliver ${call.label}`, run: call.deliver })
      if (this.#lost < lostAnswers) steps.push({ label: `lose ${call.label}`, run: () => this.#lose(call) })
    }
    for (const stream of this.#streams) {
      if (isFeedHeld !== true && stream.position < this.#changes.length) {
        steps.push({ label: 'deliver a change', run: () => this.#deliverChange(stream) })
      }
      if (this.#cuts < cuts) steps.push({ label: 'cut the feed', run: () => this.#cut(stream) })
    }
    const step = clockSteps[this.#clockSteps]
    if (step !== undefined) steps.push(this.#clockStep(step))
    return steps
  }

  #look(): void {
    const taken = this.#takenAt
    if (taken === undefined || this.#verifier === undefined) return
    this.#wasEffective ||= this.#registry.behind(PROJECT, taken.position).length === 0
    this.#judge(this.#verifier.verifyCached({ credential: this.#key.text }))
  }

  #judge(verdict: Verdict | undefined): void {
    const taken = this.#takenAt
    if (verdict?.ok !== true || taken === undefined) return
    if (this.#wasEffective) this.violation ??= 'ok after the receipt was effective (V8)'
    if (this.#ms >= taken.ms + LEASE_MS) this.violation ??= 'ok past the lease (L1)'
  }

  #verify(): void {
    this.#verifications++
    void this.#verifier?.verify({ credential: this.#key.text }).then((verdict) => this.#judge(verdict))
  }

  #commit(what: 'other' | 'key'): void {
    const position = { epoch: EPOCH, number: this.#changes.length + 1 }
    const facts: Change['facts'] =
      what === 'key'
        ? [{ type: 'key', id: this.#key.record.id, digests: [this.#key.digest] }]
        : [{ type: 'role', name: 'other', permissions: [] }]
    this.#changes.push({ position, atMs: START_MS + this.#ms, commandId: `cmd_${position.number}`, facts })
    if (what === 'key') this.#takenAt = { position, ms: this.#ms }
  }

  #clockStep(step: ClockStep): Step {
    const run = (act: () => void) => () => {
      this.#clockSteps++
      act()
    }
    if (typeof step === 'number') return { label: `wait ${step} ms`, run: run(() => this.#advance(step)) }
    if ('sleepsMs' in step) {
      const { sleepsMs } = step
      return {
        label: `sleep ${sleepsMs} ms`,
        run: run(() => {
          this.#ms += sleepsMs
          this.#sleptMs += sleepsMs
        }),
      }
    }
    const { setByMs } = step
    return {
      label: `set the clock by ${setByMs} ms`,
      run: run(() => {
        this.#wallAheadMs += setByMs
      }),
    }
  }

  #advance(ms: number): void {
    this.#ms += ms
    for (const timer of [...this.#timers].sort((a, b) => a.atMs - b.atMs)) {
      if (timer.atMs > this.#monotonicMs() || !this.#timers.delete(timer)) continue
      timer.act()
    }
  }

  #lose(call: Call): void {
    this.#lost++
    call.fail()
  }

  #cut(stream: Stream): void {
    this.#cuts++
    stream.fail(new EdgeError('unreachable', 'The stream was cut.'))
  }

  #deliverChange(stream: Stream): void {
    const change = this.#changes[stream.position]
    if (change === undefined) return
    stream.position++
    try {
      stream.listener.heard()
      stream.listener.change(change)
    } catch (error) {
      stream.fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Serves and delivers whatever is under way, until nothing is. */
  async #finishCalls(): Promise<void> {
    for (let [call] = this.#calls; call !== undefined; [call] = this.#calls) {
      if (call.deliver === undefined) call.serve()
      call.deliver?.()
      await this.settle()
    }
  }

  #head(): Position {
    return { epoch: EPOCH, number: this.#changes.length }
  }

  /** A question of the verifier, whose answer is made when it is served and comes when it is delivered. */
  #ask<Answer>(label: string, answer: () => Answer, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const end = (): void => void this.#calls.delete(call)
      const call: Call = {
        label,
        deliver: undefined,
        serve: () => {
          const made = answer()
          call.deliver = () => {
            end()
            resolve(made)
          }
        },
        fail: () => {
          end()
          reject(new EdgeError('unreachable', 'It was lost.'))
        },
      }
      this.#calls.add(call)
      signal.addEventListener('abort', end)
    })
  }

  #transport(): EdgeTransport {
    const nobody = (): never => {
      throw new EdgeError('unreachable', 'Nobody asks for it here.')
    }
    return {
      readSnapshot: async () => ({
        project: PROJECT,
        position: this.#head(),
        epochs: [EPOCH],
        facts: [],
      }),
      readChanges: (after, signal) =>
        this.#ask(
          'changes',
          () => ({
            changes: this.#changes.slice(after.number),
            head: `${EPOCH}:${this.#changes.length}`,
            more: false,
          }),
          signal,
        ),
      follow: (after, listener, signal) =>
        new Promise((_, reject) => {
          const stream: Stream = {
            listener,
            position: after.number,
            fail: (error) => {
              this.#streams.delete(stream)
              reject(error)
            },
          }
          this.#streams.add(stream)
          signal.addEventListener('abort', () => stream.fail(new EdgeError('unreachable', 'Aborted.')))
          listener.hello({ node: 'boot', heartbeatSeconds: 60 })
        }),
      askLease: (request, signal) =>
        this.#ask(
          'lease',
          () => {
            const head = `${EPOCH}:${this.#changes.length}`
            this.#registry.grant(PROJECT, {
              id: request.verifier.id,
              keyId: 'edge',
              name: null,
              address: null,
              applied: { epoch: EPOCH, number: Number(request.applied.split(':')[1]) },
              statistics: {},
              allowCachedSeconds: 0,
            })
            const atMs = START_MS + this.#ms
            const leaseSeconds = MAX_STALENESS_SECONDS
            return { nonce: request.nonce, head, atMs, node: 'boot', leaseSeconds }
          },
          signal,
        ),
      releaseLease: nobody,
      resolveKeys: (digests, signal) =>
        this.#ask('fill', () => digests.map(() => ({ position: this.#head(), key: this.#record() })), signal),
      leaseLimits: nobody,
      reportUsage: nobody,
    }
  }

  #record(): KeyRecord {
    return { ...this.#key.record, disabled: this.#takenAt !== undefined }
  }

  #monotonicMs(): number {
    return this.#ms - this.#sleptMs
  }

  #clock(): EdgeClock {
    return {
      wallMs: () => START_MS + this.#ms + this.#wallAheadMs,
      monotonicMs: () => this.#monotonicMs(),
      after: (ms, act) => {
        const timer = { atMs: this.#monotonicMs() + ms, act }
        this.#timers.add(timer)
        return () => void this.#timers.delete(timer)
      },
    }
  }
}
