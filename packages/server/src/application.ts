import { randomBytes } from 'node:crypto'
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http'
import { CodedError, type Engine } from '@claviger/engine'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { auditRefusal, refusalOf } from './audit-refusals.ts'
import { authenticate, isManagementPath } from './authentication.ts'
import { answerClientError } from './client-errors.ts'
import type { Configuration } from './configuration.ts'
import { DirectLane } from './direct/direct-lane.ts'
import { takeMessage } from './direct/direct-message.ts'
import { PlainConnections } from './direct/plain-connections.ts'
import { FeedHub } from './feed/feed-hub.ts'
import { addHealth } from './health.ts'
import type { HttpLimits } from './http-limits.ts'
import { acceptJsonBodies } from './json-body.ts'
import { addManagementApi } from './management-api.ts'
import type { HttpDurations } from './metrics/http-durations.ts'
import { addMetricsRoute } from './metrics/metrics-route.ts'
import type { NodeMetrics } from './metrics/node-metrics.ts'
import { answerNotFound } from './not-found.ts'
import { addPages } from './pages.ts'
import { reported, sendProblem } from './problem.ts'
import { describeAnswer, logAnswer } from './request-log.ts'
import type { ServerCertificate } from './server-certificate.ts'
import { GuessThrottle } from './throttling/guess-throttle.ts'
import { InFlight } from './throttling/in-flight.ts'
import { slowGuesses } from './throttling/slow-guesses.ts'
import { Turns } from './turns.ts'
import { addWellKnown } from './well-known.ts'

export interface ApplicationParts {
  readonly engine: Engine
  readonly configuration: Configuration
  readonly limits: HttpLimits
  readonly log: Logger
  /** Null: plain HTTP is served. */
  readonly certificate: ServerCertificate | null
  /** Whether the issuer's address is known: before that only `/healthz` and `/readyz` answer. */
  readonly isOpen: () => boolean
  readonly durations: HttpDurations
  readonly metrics: NodeMetrics
}

/** Puts the HTTP side together: from the connection to the routes. */
export async function buildApplication(parts: ApplicationParts): Promise<FastifyInstance> {
  const { engine, limits, log, isOpen } = parts
  const nextRequestId = countRequests()
  // One for both ways, so that who guesses gains nothing by going the other.
  const guesses = new GuessThrottle(limits.guesses)
  const feed = new FeedHub(engine)
  const api = {
    engine,
    inFlight: new InFlight(limits.maxInFlightPerCaller),
    guesses,
    feed,
  }
  const turns = new Turns()
  const lane = new DirectLane({ ...parts, api, nextRequestId, turns })
  const server = fastifyOf(parts, { nextRequestId, lane, guesses })
  const plain = new PlainConnections(server.server, { lane, limits })
  parts.durations.watch(server)
  server.addHook('preClose', (done) => {
    lane.close()
    plain.closeIdle()
    feed.close()
    done()
  })
  server.addHook('onResponse', (request, reply, done) => {
    logAnswer(log, describeAnswer(request, reply))
    done()
  })
  answerNotFound(server)
  answerErrors(server, parts, guesses)
  acceptJsonBodies(server)
  server.addHook('onRequest', (request, _reply, done) => {
    if (isOpen() || request.routeOptions.config.health === true) done()
    else done(new CodedError('unavailable', 'Claviger is starting. Try again in a moment.'))
  })
  yieldToVerifications(server, turns)
  addHealth(server, { engine, isOpen })
  addWellKnown(server, engine)
  addManagementApi(server, api)
  addMetricsRoute(server, parts.metrics)
  await server.register(addPages)
  await server.ready()
  return server
}

/** Names for requests that no other start of a server has given. */
function countRequests(): () => string {
  const boot = randomBytes(4).toString('hex')
  let requests = 0
  return () => `${boot}-${(requests++).toString(36)}`
}

function fastifyOf(
  parts: ApplicationParts,
  { nextRequestId, lane, guesses }: { nextRequestId: () => string; lane: DirectLane; guesses: GuessThrottle },
): FastifyInstance {
  const { configuration, limits, log, engine } = parts
  return Fastify({
    serverFactory: (handler) =>
      listenerOf(parts, (request, response) => {
        if (!takeMessage(lane, request, response)) handler(request, response)
      }),
    clientErrorHandler: answerClientError,
    // Lines are written by this package alone (request-log.ts), without a child logger a request.
    logger: false,
    genReqId: nextRequestId,
    bodyLimit: limits.maxBodyBytes,
    routerOptions: { maxParamLength: limits.maxParamLength },
    trustProxy: configuration.trustProxy.length === 0 ? false : configuration.trustProxy,
    forceCloseConnections: 'idle',
    // What still arrives while the server closes was sent in good faith, and is answered.
    return503OnClosing: false,
    // A path that cannot be decoded has no route, and so passes no hook; it is guarded and logged here (rule M5).
    frameworkErrors: (error, request, reply) => {
      reply.raw.once('finish', () => logAnswer(log, describeAnswer(request, reply)))
      const answer = (reason: unknown): void => {
        const coded = reported(reason, { log, requestId: request.id })
        auditRefusal(engine, refusalOf(request), coded)
        sendProblem(reply, slowGuesses(guesses, coded, request.ip))
      }
      if (!isManagementPath(request.url)) answer(error)
      else authenticate(engine, request, null).then(() => answer(error), answer)
    },
  })
}

/** What is asked all the time waits for nobody; the rest begins one a turn, so that a burst of it is in nobody's way. */
function yieldToVerifications(server: FastifyInstance, turns: Turns): void {
  server.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.config.quiet === true) done()
    else turns.take(done)
  })
}

function listenerOf({ limits, certificate }: ApplicationParts, handler: RequestListener): HttpServer {
  const options = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.timeoutCheckIntervalMs,
  }
  return certificate === null ? createHttpServer(options, handler) : certificate.serve(options, handler)
}

function answerErrors(
  server: FastifyInstance,
  { engine, log }: ApplicationParts,
  guesses: GuessThrottle,
): void {
  server.setErrorHandler((error, request, reply) => {
    const coded = reported(error, { log, requestId: request.id })
    auditRefusal(engine, refusalOf(request), coded)
    return sendProblem(reply, slowGuesses(guesses, coded, request.ip))
  })
}
