import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { CodedError } from '@claviger/engine'
import type { Logger } from 'pino'
import { DATA_HEADERS } from '../security-headers.ts'
import { METRICS_MEDIA_TYPE, type NodeMetrics } from './node-metrics.ts'

const REQUEST_TIMEOUT_MS = 10_000
const MAX_CONNECTIONS = 20

export interface MetricsListenerOptions {
  readonly host: string
  readonly port: number
  readonly metrics: NodeMetrics
  readonly log: Logger
}

/**
 * Serves `/metrics` and nothing else, without a credential, at an address of its own: who may come there is decided by
 * where it listens. It is not opened unless a port was named.
 */
export class MetricsListener {
  readonly #options: MetricsListenerOptions
  readonly #server: Server

  constructor(options: MetricsListenerOptions) {
    this.#options = options
    this.#server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
      answer(options),
    )
    this.#server.maxConnections = MAX_CONNECTIONS
  }

  /** Resolves with the port. Throws `unavailable` when it cannot be listened on. */
  async listen(): Promise<number> {
    const { host, port } = this.#options
    this.#server.listen(port, host)
    try {
      await once(this.#server, 'listening')
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? error.code : error
      throw new CodedError(
        'unavailable',
        `The metrics cannot be served on ${host}, port ${port} (${reason}). Choose another with --metrics-port.`,
      )
    }
    const address = this.#server.address()
    return address === null || typeof address === 'string' ? port : address.port
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

function answer({ metrics, log }: MetricsListenerOptions): RequestListener {
  return (request, response) => {
    if (request.url?.split('?', 1)[0] !== '/metrics' || !['GET', 'HEAD'].includes(request.method ?? '')) {
      response.writeHead(404, DATA_HEADERS).end()
      return
    }
    metrics.read().then(
      (text) => response.writeHead(200, { ...DATA_HEADERS, 'content-type': METRICS_MEDIA_TYPE }).end(text),
      (error) => {
        log.error({ err: error }, 'The metrics could not be read.')
        response.writeHead(500, DATA_HEADERS).end()
      },
    )
  }
}
