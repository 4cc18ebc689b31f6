import type { FastifyInstance } from 'fastify'

const SWEEP_INTERVAL_MS = 50

/**
 * Stops accepting connections, lets what is in flight be answered, and cuts what has not ended after the grace.
 * A connection that falls idle meanwhile is closed at the next sweep; left alone it would live on for its keep-alive.
 */
export async function closeGracefully(server: FastifyInstance, graceMs: number): Promise<void> {
  const sweep = setInterval(() => server.server.closeIdleConnections(), SWEEP_INTERVAL_MS)
  const deadline = setTimeout(() => server.server.closeAllConnections(), graceMs)
  try {
    await server.close()
  } finally {
    clearInterval(sweep)
    clearTimeout(deadline)
  }
}
