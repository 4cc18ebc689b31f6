import { CodedError } from '@claviger/engine'
import type { FastifyInstance } from 'fastify'
import { DATA_HEADERS } from '../security-headers.ts'
import { METRICS_MEDIA_TYPE, type NodeMetrics } from './node-metrics.ts'

/**
 * `/metrics` beside the API: for a root key, since the figures are of all projects together, and a bound key learns of no
 * project but its own (rule M2). What scrapes by the minute does so on the listener of `--metrics-port` instead
 * (metrics-listener.ts), and holds no key.
 */
export function addMetricsRoute(server: FastifyInstance, metrics: NodeMetrics): void {
  const config = { verb: 'usage:read', quiet: true } as const
  server.get('/metrics', { config }, async (request, reply) => {
    if (request.caller?.project !== null) {
      throw new CodedError(
        'forbidden',
        'The metrics are of all projects together: use a root key, or the listener of --metrics-port.',
      )
    }
    return reply
      .headers(DATA_HEADERS)
      .type(METRICS_MEDIA_TYPE)
      .send(await metrics.read())
  })
}
