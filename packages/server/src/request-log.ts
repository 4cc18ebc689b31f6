import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'

/** What a line tells of an answer. */
interface Answer {
  readonly requestId: string
  readonly method: string
  /** The route's pattern and not the address, whose path and query are the caller's to fill. Null: there is none. */
  readonly route: string | null
  readonly status: number
  readonly durationMs: number
  /** The id of the management key, once it was recognised. */
  readonly caller: string | null
  readonly client: string
  /** One that is no error is written at `debug`. */
  readonly quiet: boolean
}

/**
 * One line for each answer. A verification that was answered is written at `debug`: it is counted as usage, and a line
 * for each would cost more than the decision itself. So are the questions of a load balancer.
 */
export function logAnswer(log: Logger, given: Answer): void {
  const level = given.status >= 500 ? 'error' : given.quiet && given.status < 400 ? 'debug' : 'info'
  if (!log.isLevelEnabled(level)) return
  const { requestId, method, route, status, caller, client } = given
  const durationMs = Math.round(given.durationMs * 100) / 100
  log[level]({ requestId, method, route, status, caller, client, durationMs }, 'answered')
}

export function describeAnswer(request: FastifyRequest, reply: FastifyReply): Answer {
  const { url, config } = request.routeOptions
  return {
    requestId: request.id,
    method: request.method,
    route: request.is404 ? null : (url ?? null),
    status: reply.statusCode,
    durationMs: reply.elapsedTime,
    caller: request.caller?.keyId ?? null,
    client: request.ip,
    quiet: config.quiet === true,
  }
}
