import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ManagementCaller } from '@claviger/engine'
import type { ApplicationParts } from './application.ts'
import { auditRefusal } from './audit-refusals.ts'
import { admit } from './authentication.ts'
import { readJsonBody } from './json-body.ts'
import type { CountAnswer } from './metrics/http-durations.ts'
import { readPresentedCredential } from './presented-credential.ts'
import { problemHeaders, problemOf, reported } from './problem.ts'
import { type Api, RequestCall } from './request-call.ts'
import { logAnswer } from './request-log.ts'
import { JSON_MEDIA_TYPE, type Route, serialize } from './routes/route.ts'
import { ROUTES } from './routes/table.ts'
import { DATA_HEADERS } from './security-headers.ts'
import { slowGuesses } from './throttling/slow-guesses.ts'

const DIRECT_ROUTES: readonly Route[] = ROUTES.filter((route) => route.direct === true)
const NOTHING = Object.freeze({})

/** A route of this way, and what counts its answers. */
interface Lane {
  readonly route: Route
  readonly count: CountAnswer
}

interface LaneParts extends ApplicationParts {
  readonly api: Api
  readonly nextRequestId: () => string
}

/** A request whose caller is known and allowed, and what it is answered through. */
interface Exchange {
  readonly lane: Lane
  readonly caller: ManagementCaller
  readonly projectName: string
  readonly clientAddress: string
  readonly requestId: string
  readonly startedAtMs: number
  readonly response: ServerResponse
}

/**
 * The short way of a request: from Node's server to the route, for the routes that are called all the time. The
 * framework's way costs more than a verification and all else that is done for it (decision 0023).
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
    const laneOf = (route: Route): Lane => ({
      route,
      count: parts.durations.counterOf(route.path, route.method),
    })
    this.#lanes = new Map(DIRECT_ROUTES.map((route) => [route.path, laneOf(route)]))
  }

  /** From now on requests are left to the framework, and connections end with the answers that are still owed. */
  close(): void {
    this.#closing = true
  }

  /** False: it is not for this way, and nothing of it was read. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const lane = this.#lanes.get(request.url ?? '')
    if (lane === undefined || request.method !== lane.route.method) return false
    if (this.#closing || !this.#parts.isOpen() || !this.#isPlain(request)) return false
    const exchange = this.#admit(lane, request, response)
    if (exchange === undefined) return false
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const [first] = parts
      this.#run(exchange, parts.length === 1 && first !== undefined ? first : Buffer.concat(parts))
    })
    return true
  }

  #isPlain({ headers }: IncomingMessage): boolean {
    const { configuration, limits } = this.#parts
    const length = Number(headers['content-length'])
    return (
      headers['content-type'] === 'application/json' &&
      length > 0 &&
      length <= limits.maxBodyBytes &&
      headers['content-encoding'] === undefined &&
      // Whose address counts behind a proxy, the framework knows.
      (configuration.trustProxy.length === 0 || headers['x-forwarded-for'] === undefined)
    )
  }

  #admit(lane: Lane, request: IncomingMessage, response: ServerResponse): Exchange | undefined {
    const { engine } = this.#parts
    const { rawHeaders, socket } = request
    const startedAtMs = performance.now()
    const requestId = this.#parts.nextRequestId()
    const clientAddress = socket.remoteAddress
    if (clientAddress === undefined) return undefined
    try {
      const caller = engine.authenticateCached(readPresentedCredential(rawHeaders), {
        ip: clientAddress,
        requestId,
      })
      if (caller === undefined || !caller.ok) return undefined
      const projectName = admit(engine, caller, { rawHeaders, verb: lane.route.verb })
      return { lane, caller, projectName, clientAddress, requestId, startedAtMs, response }
    } catch {
      return undefined
    }
  }

  #run(exchange: Exchange, bytes: Buffer): void {
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
    const { caller, clientAddress: address, requestId } = exchange
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

  #write(exchange: Exchange, { status, headers, body }: Answer): void {
    const { lane, caller, clientAddress, requestId, startedAtMs, response } = exchange
    const { route } = lane
    const length = Buffer.byteLength(body)
    headers['content-length'] = String(length)
    if (this.#closing) headers.connection = 'close'
    response.writeHead(status, headers)
    // Of ASCII alone, which then needs no encoding.
    response.end(body, length === body.length ? 'latin1' : 'utf8')
    const durationMs = performance.now() - startedAtMs
    lane.count(status, durationMs / 1000)
    logAnswer(this.#parts.log, {
      requestId,
      method: route.method,
      route: route.path,
      status,
      durationMs,
      caller: caller.keyId,
      client: clientAddress,
      quiet: route.quiet === true,
    })
  }
}

interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
}
