import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'

/**
 * One line for each answer. The route's pattern stands there and not the address, whose path and query are the
 * caller's to fill. A verification that was answered is written at `debug`: it is counted as usage, and a line
 * for each would cost more than the decision itself. So are the questions of a load balancer.
 */
export function logAnswer(log: Logger, request: FastifyRequest, reply: FastifyReply): void {
  const { url, config } = request.routeOptions
  const { statusCode } = reply
  const level = statusCode >= 500 ? 'error' : config.quiet === true && statusCode < 400 ? 'debug' : 'info'
  if (!log.isLevelEnabled(level)) return
  log[level](
    {
      requestId: request.id,
      method: request.method,
      route: request.is404 ? null : url,
      status: statusCode,
      durationMs: Math.round(reply.elapsedTime * 100) / 100,
      caller: request.caller?.keyId ?? null,
      client: request.ip,
    },
    'answered',
  )
}
