import { randomBytes } from 'node:crypto'
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http'
import { CodedError, type Engine } from '@claviger/engine'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { authenticate, isManagementPath } from './authentication.ts'
import { answerClientError } from './client-errors.ts'
import type { Configuration } from './configuration.ts'
import { addHealth } from './health.ts'
import type { HttpLimits } from './http-limits.ts'
import { acceptJsonBodies } from './json-body.ts'
import { addManagementApi } from './management-api.ts'
import { answerNotFound } from './not-found.ts'
import { addPages } from './pages.ts'
import { sendProblem, toCodedError } from './problem.ts'
import { logAnswer } from './request-log.ts'
import type { ServerCertificate } from './server-certificate.ts'
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
}

/** Puts the HTTP side together: from the connection to the routes. */
export async function buildApplication(parts: ApplicationParts): Promise<FastifyInstance> {
  const { engine, log, isOpen } = parts
  const server = fastifyOf(parts)
  server.addHook('onResponse', (request, reply, done) => {
    logAnswer(log, request, reply)
    done()
  })
  answerNotFound(server)
  answerErrors(server, log)
  acceptJsonBodies(server)
  server.addHook('onRequest', (request, _reply, done) => {
    if (isOpen() || request.routeOptions.config.health === true) done()
    else done(new CodedError('unavailable', 'Claviger is starting. Try again in a moment.'))
  })
  yieldToVerifications(server)
  addHealth(server, async () => isOpen() && (await engine.isReady()))
  addWellKnown(server, engine)
  addManagementApi(server, engine)
  await server.register(addPages)
  await server.ready()
  return server
}

function fastifyOf(parts: ApplicationParts): FastifyInstance {
  const { configuration, limits, log, engine } = parts
  const boot = randomBytes(4).toString('hex')
  let requests = 0
  return Fastify({
    serverFactory: (handler) => listenerOf(parts, handler),
    clientErrorHandler: answerClientError,
    // Lines are written by this package alone (request-log.ts), without a child logger a request.
    logger: false,
    genReqId: () => `${boot}-${(requests++).toString(36)}`,
    bodyLimit: limits.maxBodyBytes,
    routerOptions: { maxParamLength: limits.maxParamLength },
    trustProxy: configuration.trustProxy.length === 0 ? false : configuration.trustProxy,
    forceCloseConnections: 'idle',
    // What still arrives while the server closes was sent in good faith, and is answered.
    return503OnClosing: false,
    // A path that cannot be decoded has no route, and so passes no hook; it is guarded and logged here (rule M5).
    frameworkErrors: (error, request, reply) => {
      reply.raw.once('finish', () => logAnswer(log, request, reply))
      const answer = (reason: unknown): void => {
        sendProblem(reply, reported(reason, { log, requestId: request.id }))
      }
      if (!isManagementPath(request.url)) answer(error)
      else authenticate(engine, request, null).then(() => answer(error), answer)
    },
  })
}

/** What is asked all the time waits for nobody; the rest begins one a turn, so that a burst of it is in nobody's way. */
function yieldToVerifications(server: FastifyInstance): void {
  const turns = new Turns()
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

function answerErrors(server: FastifyInstance, log: Logger): void {
  server.setErrorHandler((error, request, reply) =>
    sendProblem(reply, reported(error, { log, requestId: request.id })),
  )
}

/** The coded error; what is the fault of Claviger or its machine is written to the log, where alone its cause is shown. */
function reported(error: unknown, { log, requestId }: { log: Logger; requestId: string }): CodedError {
  const coded = toCodedError(error)
  if (coded.code === 'internal' || coded.cause !== undefined)
    log.error({ requestId, err: coded.cause ?? error }, 'A request failed.')
  return coded
}
