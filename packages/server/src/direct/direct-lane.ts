import type { ManagementCaller } from '@claviger/engine'
import type { Refusal } from '@claviger/verify'
import type { ApplicationParts } from '../application.ts'
import { auditRefusal } from '../audit-refusals.ts'
import { admit } from '../authentication.ts'
import { readJsonBody } from '../json-body.ts'
import type { CountAnswer } from '../metrics/http-durations.ts'
import { readPresentedCredential } from '../presented-credential.ts'
import { problemHeaders, problemOf, reported } from '../problem.ts'
import { type Api, RequestCall } from '../request-call.ts'
import { logAnswer } from '../request-log.ts'
import { JSON_MEDIA_TYPE, type Route, serialize } from '../routes/route.ts'
import { ROUTES } from '../routes/table.ts'
import { DATA_HEADERS } from '../security-headers.ts'
import { slowGuesses } from '../throttling/slow-guesses.ts'
import type { Turns } from '../turns.ts'
import type { DirectAnswer } from './answer-text.ts'
import { Gate } from './gate.ts'

const DIRECT_ROUTES: readonly Route[] = ROUTES.filter((route) => route.direct !== undefined)
const NOTHING = Object.freeze({})
/** What changes something is worked on by so many at a time: enough that commits are shared. */
const MAX_INSIDE = 64

/** A route of this way. */
export interface Lane {
  readonly route: Route
  /** Counts its answers. */
  readonly count: CountAnswer
  /** Where its requests wait for their turn; null: they are answered at once. */
  readonly gate: Gate | null
  /** Names of headers, in lower case, with which a request is not for this way. */
  readonly refusedHeaders: ReadonlySet<string>
}

interface LaneParts extends ApplicationParts {
  readonly api: Api
  readonly nextRequestId: () => string
  /** What begins one a turn of the event loop, here and in the framework. */
  readonly turns: Turns
}

/** What brings a request, and takes its answer. */
export interface Carrier {
  /** The address of the other end of the connection. */
  readonly clientAddress: string
  /** Called once for each request that was admitted. */
  write(answer: DirectAnswer): void
}

/** A request whose caller is known and allowed, and what it is answered through. */
export interface Exchange {
  readonly lane: Lane
  readonly caller: ManagementCaller
  readonly projectName: string
  readonly requestId: string
  readonly startedAtMs: number
  readonly carrier: Carrier
}

/**
 * The short way of a request, for the routes that are called all the time: past the framework, whose way costs more than a
 * verification and all else that is done for it (decision 0023). Requests are brought by connections that read plain ones
 * themselves (plain-connection.ts, decision 0033), and by the messages of Node's server (direct-message.ts).
 *
 * It takes only what is as it should be: a caller who is known and allowed, and a body of known length that says it is
 * JSON. All else it leaves to the framework untouched, which refuses it or asks somebody; so the guard is the same, and
 * there is one place that refuses.
 */
export class DirectLane {
  readonly #parts: LaneParts
  readonly #lanes: ReadonlyMap<string, Lane>
  #closing = false

  constructor(parts: LaneParts) {
    this.#parts = parts
    const gate = new Gate(parts.turns, MAX_INSIDE)
    const laneOf = (route: Route): Lane => ({
      route,
      count: parts.durations.counterOf(route.path, route.method),
      gate: route.direct === 'in-turn' ? gate : null,
      refusedHeaders: refusedHeaders(parts, route),
    })
    this.#lanes = new Map(DIRECT_ROUTES.map((route) => [`${route.method} ${route.path}`, laneOf(route)]))
  }

  /** Whether requests are taken now: not before the server is open, and not once it closes. */
  get open(): boolean {
    return !this.#closing && this.#parts.isOpen()
  }

  /** True: connections end with the answers that are still owed. */
  get closing(): boolean {
    return this.#closing
  }

  /** From now on requests are left to the framework. */
  close(): void {
    this.#closing = true
  }

  /** The lane of a request such as `POST /v1/verify`. */
  find(call: string): Lane | undefined {
    return this.#lanes.get(call)
  }

  /** Whether a body of so many bytes is for this way. */
  takes(contentLength: number): boolean {
    return contentLength > 0 && contentLength <= this.#parts.limits.maxBodyBytes
  }

  /** Undefined: the request is not for this way. `'ask'`: it may be, and nobody here knows its caller yet. */
  admit(lane: Lane, rawHeaders: readonly string[], carrier: Carrier): Exchange | 'ask' | undefined {
    const startedAtMs = performance.now()
    const requestId = this.#parts.nextRequestId()
    try {
      const known = { ip: carrier.clientAddress, requestId }
      const caller = this.#parts.engine.authenticateCached(readPresentedCredential(rawHeaders), known)
      if (caller === undefined) return 'ask'
      return this.#exchange({ lane, caller, rawHeaders, requestId, startedAtMs, carrier })
    } catch {
      return undefined
    }
  }

  /** As {@link admit}, once whoever knows the caller was asked. */
  async admitAsked(
    lane: Lane,
    rawHeaders: readonly string[],
    carrier: Carrier,
  ): Promise<Exchange | undefined> {
    const startedAtMs = performance.now()
    const requestId = this.#parts.nextRequestId()
    try {
      const known = { ip: carrier.clientAddress, requestId }
      const caller = await this.#parts.engine.authenticate(readPresentedCredential(rawHeaders), known)
      return this.#exchange({ lane, caller, rawHeaders, requestId, startedAtMs, carrier })
    } catch {
      return undefined
    }
  }

  #exchange({
    caller,
    rawHeaders,
    ...rest
  }: Omit<Exchange, 'caller' | 'projectName'> & {
    readonly caller: ManagementCaller | Refusal
    readonly rawHeaders: readonly string[]
  }): Exchange | undefined {
    if (!caller.ok) return undefined
    const { verb } = rest.lane.route
    const projectName = admit(this.#parts.engine, caller, { rawHeaders, verb })
    return { ...rest, caller, projectName }
  }

  /** Answers the request whose body this is, now or later. */
  run(exchange: Exchange, bytes: Buffer): void {
    const { lane, caller, projectName } = exchange
    const fail = (error: unknown): void => this.#fail(exchange, error)
    const { api } = this.#parts
    try {
      const { body, fault } = readJsonBody(bytes)
      if (fault !== undefined) throw fault
      const once = undefined
      const call = new RequestCall(api, {
        caller,
        projectName,
        params: NOTHING,
        query: NOTHING,
        body,
        once,
        accept: undefined,
      })
      // Before anything runs: what is refused for want of a place must not have begun.
      api.inFlight.admit(caller.keyId)
      const result = lane.route.handle(call)
      if (!(result instanceof Promise)) this.#answer(exchange, result)
      else {
        api.inFlight.enter(caller.keyId)
        const leave = (): void => api.inFlight.leave(caller.keyId)
        result.then(
          (known) => {
            leave()
            this.#answerOr(fail, exchange, known)
          },
          (error: unknown) => {
            leave()
            fail(error)
          },
        )
      }
    } catch (error) {
      fail(error)
    }
  }

  #answerOr(fail: (error: unknown) => void, exchange: Exchange, result: unknown): void {
    try {
      this.#answer(exchange, result)
    } catch (error) {
      fail(error)
    }
  }

  #answer(exchange: Exchange, result: unknown): void {
    const { route } = exchange.lane
    this.#write(exchange, {
      status: route.answer.status,
      headers: { ...DATA_HEADERS, 'content-type': JSON_MEDIA_TYPE },
      body: serialize(route, result),
    })
  }

  #fail(exchange: Exchange, error: unknown): void {
    const { caller, carrier, requestId } = exchange
    const address = carrier.clientAddress
    const { route } = exchange.lane
    const { api, log } = this.#parts
    const known = reported(error, { log, requestId })
    auditRefusal(
      api.engine,
      { keyId: caller.keyId, call: `${route.method} ${route.path}`, address, requestId },
      known,
    )
    const coded = slowGuesses(api.guesses, known, address)
    this.#write(exchange, {
      status: coded.status,
      headers: problemHeaders(coded, requestId),
      body: JSON.stringify(problemOf(coded)),
    })
  }

  #write({ lane, caller, carrier, requestId, startedAtMs }: Exchange, answer: DirectAnswer): void {
    const { route } = lane
    const { status } = answer
    carrier.write(answer)
    const durationMs = performance.now() - startedAtMs
    lane.count(status, durationMs / 1000)
    logAnswer(this.#parts.log, {
      requestId,
      method: route.method,
      route: route.path,
      status,
      durationMs,
      caller: caller.keyId,
      client: carrier.clientAddress,
      quiet: route.quiet === true,
    })
  }
}

function refusedHeaders({ configuration }: ApplicationParts, { once }: Route): ReadonlySet<string> {
  const names = new Set<string>()
  // Whose address counts behind a proxy, the framework knows, and what a request that comes again was answered.
  if (configuration.trustProxy.length > 0) names.add('x-forwarded-for')
  if (once !== false) names.add('idempotency-key')
  return names
}
