import { formatPosition, type Position, parsePosition } from '../changes/position.ts'
import type { LeaseAnswer } from '../wire/lease.ts'
import type { AppliedFacts } from './applied-facts.ts'
import type { EdgeClock } from './edge-clock.ts'
import type { EdgeEvent } from './edge-event.ts'
import { EdgeError, type EdgeTransport, edgeErrorOf } from './edge-transport.ts'
import type { Grant } from './lease.ts'
import type { News } from './news.ts'
import type { Stopwatch } from './stopwatch.ts'
import { TurnLease } from './turn-lease.ts'
import { withTimeout } from './with-timeout.ts'

export interface LeaseKeeperOptions {
  readonly transport: EdgeTransport
  readonly clock: EdgeClock
  readonly stopwatch: Stopwatch
  /** Random: the server tells verifiers apart by it. */
  readonly id: string
  /** That nobody guesses, another one each time. */
  readonly randomId: () => string
  /** From 0 to 1. */
  readonly random: () => number
  readonly name?: string | undefined
  readonly allowCachedSeconds: number
  readonly facts: AppliedFacts
  readonly news: News
  /** Whether the feed brings what is new by itself. */
  readonly isConnected: () => boolean
  /** Figures that the server shows with this verifier. */
  readonly statistics: () => Readonly<Record<string, number>>
  /** Ends it. */
  readonly signal: AbortSignal
  readonly onEvent: (event: EdgeEvent) => void
}

const RENEW_MS = 1_500
/** One that is not answered by then is asked anew: where something on the way holds requests, the next may get through. */
const ASK_TIMEOUT_MS = 2_000
/** After one that failed, none of those who verify is made to wait for another one before this. */
const RETRY_MS = 250
const REFUSED_RETRY_MS = 5_000
/** How long the feed may be behind the head that a lease names before what it lacks is fetched. */
const FEED_DELAY_MS = 250
/** Reports follow one another no closer than so many times what the last one took, so that a busy server has fewer. */
const REPORT_GAP = 5
const MAX_REPORT_GAP_MS = 500
/** Clocks that take turns at being wrong are told apart where these come between: one that slept, and is set back then. */
const MARK_MS = 250

/**
 * Asks for leases: ahead of the end of the one that runs, at once after a change that somebody may be waiting for, and
 * for those who verify without one (rules L2, L4). One request is under way at most, and one more follows it at most.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions
  readonly #lease: TurnLease
  /** Why there is no lease, when there is none. */
  #fault: EdgeError | undefined
  /** The last head that the server told. */
  #head: Position | undefined
  #asking: Promise<void> | undefined
  #mustReport = false
  #sentAtMs = 0
  #tookMs = 0
  #failedAtMs: number | undefined
  /** How long past its lease it may answer now: the operator allowed it, and nobody can be asked. */
  #graceMs = 0
  #isStale = true
  #cancelNext: (() => void) | undefined
  #cancelWatch = (): void => undefined

  constructor(options: LeaseKeeperOptions) {
    this.#options = options
    this.#lease = new TurnLease(options.clock, options.stopwatch)
    this.#watch()
  }

  get fault(): EdgeError | undefined {
    return this.#fault
  }

  get head(): Position | undefined {
    return this.#head
  }

  get leftMs(): number {
    return this.#lease.leftMs()
  }

  /** Whether verdicts may be given from memory, as of this moment. */
  runs(): boolean {
    return this.runsAtMs() !== undefined
  }

  /** The time of this moment, if verdicts may be given from memory at it. */
  runsAtMs(): number | undefined {
    return this.#lease.runsAtMs(this.#graceMs)
  }

  nowMs(): number {
    return this.#lease.nowMs()
  }

  /** Resolves when an answer was taken, or there is none. Joins the request that is under way. */
  ask(): Promise<void> {
    this.#asking ??= this.#askOnce().finally(() => {
      this.#asking = undefined
      this.#scheduleNext()
    })
    return this.#asking
  }

  /** The same for somebody who verifies: no sooner than a moment after one that failed. */
  async askUnlessFailed(): Promise<void> {
    if (this.#asking === undefined && this.#failedAtMs !== undefined) {
      if (this.#options.stopwatch.readMs() - this.#failedAtMs < RETRY_MS) return
    }
    await this.ask()
  }

  /** Tells the server soon how far the facts have come. */
  report(): void {
    this.#mustReport = true
    if (this.#asking === undefined) this.#scheduleNext()
  }

  /** What is applied has come further. */
  promote(): void {
    const { position } = this.#options.facts
    if (position === undefined) return
    this.#lease.promote(position)
    if (!this.#lease.runs()) return
    this.#fault = undefined
    if (!this.#isStale) return
    this.#isStale = false
    this.#options.onEvent({ type: 'fresh' })
    this.#options.news.tell()
  }

  /** Ends it: what it was granted for is not known any more. */
  drop(reason: string): void {
    this.#lease.drop()
    this.#graceMs = 0
    this.#noteStale(reason)
  }

  /** The server was asked something else, and there was no answer. */
  noteFault(error: EdgeError): void {
    if (error.refused) this.#refuse(error)
    else if (this.#fault?.refused !== true) this.#fault = error
    this.#options.news.tell()
  }

  close(): void {
    this.#lease.drop()
    this.#graceMs = 0
    this.#cancelNext?.()
    this.#cancelWatch()
  }

  async #askOnce(): Promise<void> {
    const { facts, signal } = this.#options
    this.#mustReport = false
    this.#cancelNext?.()
    const applied = facts.position
    if (applied === undefined || signal.aborted) return
    const sentAtMs = this.#options.stopwatch.mark()
    this.#sentAtMs = sentAtMs
    try {
      const answer = await this.#send(applied)
      this.#tookMs = this.#options.stopwatch.readMs() - sentAtMs
      this.#lease.tellTime(answer.atMs)
      this.#failedAtMs = undefined
      if ('reset' in answer) return facts.outdate(applied)
      const head = parsePosition(answer.head)
      if (head === undefined) throw new EdgeError('protocol', 'The server named no head.')
      await this.#take({ untilMs: sentAtMs + answer.leaseSeconds * 1000, head })
    } catch (error) {
      this.#fail(edgeErrorOf(error))
    }
  }

  async #send(applied: Position): Promise<LeaseAnswer> {
    const { transport, id, name, randomId, allowCachedSeconds, statistics } = this.#options
    const nonce = randomId()
    const request = {
      verifier: { id, name },
      nonce,
      applied: formatPosition(applied),
      allowCachedSeconds,
      statistics: statistics(),
    }
    const answer = await this.#within((signal) => transport.askLease(request, signal))
    if (answer.nonce === nonce) return answer
    throw new EdgeError('protocol', 'The server answered another request than it was sent.')
  }

  async #take(grant: Grant): Promise<void> {
    const { facts, news, isConnected } = this.#options
    this.#head = grant.head
    this.#graceMs = 0
    this.#lease.grant(grant)
    this.promote()
    const lacks = (): boolean => facts.lacks(grant.head)
    if (lacks() && isConnected()) await news.next(FEED_DELAY_MS, () => !lacks())
    if (lacks()) await this.#catchUp(grant.head)
  }

  /** Fetches what the feed should have brought: it is cut, or something on the way holds it back. */
  async #catchUp(head: Position): Promise<void> {
    const { transport, facts } = this.#options
    for (let after = facts.position; after !== undefined && facts.lacks(head); after = facts.position) {
      const place = after
      const page = await this.#within((signal) => transport.readChanges(place, signal))
      if ('reset' in page) return facts.outdate(place)
      if (page.changes.length === 0) return
      for (const change of page.changes) facts.apply(change)
    }
  }

  #fail(error: EdgeError): void {
    this.#failedAtMs = this.#options.stopwatch.mark()
    this.#graceMs = this.#options.allowCachedSeconds * 1000
    this.noteFault(error)
  }

  /** The server has said no: nothing that was granted before counts any more, whatever the operator allows. */
  #refuse(error: EdgeError): void {
    const isNew = this.#fault?.code !== error.code
    this.#fault = error
    this.drop(error.message)
    if (isNew) this.#options.onEvent({ type: 'refused', code: error.code, reason: error.message })
  }

  #scheduleNext(): void {
    const { clock, signal } = this.#options
    this.#cancelNext?.()
    if (!signal.aborted) this.#cancelNext = clock.after(this.#nextMs(), () => void this.ask())
  }

  #nextMs(): number {
    const sinceMs = this.#options.stopwatch.readMs() - (this.#failedAtMs ?? this.#sentAtMs)
    return Math.max(0, this.#gapMs() - sinceMs)
  }

  #gapMs(): number {
    const random = this.#options.random()
    if (this.#failedAtMs !== undefined) {
      return (this.#fault?.refused === true ? REFUSED_RETRY_MS : RETRY_MS) * (1 + random)
    }
    if (this.#mustReport) return Math.min(MAX_REPORT_GAP_MS, REPORT_GAP * this.#tookMs)
    return RENEW_MS * (0.9 + 0.1 * random)
  }

  /** Marks the time that passes, and notes when the lease has ended. */
  #watch(): void {
    const { clock, stopwatch } = this.#options
    this.#cancelWatch = clock.after(MARK_MS, () => {
      stopwatch.mark()
      if (!this.#lease.runs()) this.#noteStale(this.#fault?.message ?? 'The server did not renew the lease.')
      this.#watch()
    })
  }

  #noteStale(reason: string): void {
    if (this.#isStale) return
    this.#isStale = true
    this.#options.onEvent({ type: 'stale', reason })
  }

  #within<Result>(act: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const { clock, signal } = this.#options
    return withTimeout({ clock, ms: ASK_TIMEOUT_MS, signal }, act)
  }
}
