import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

const SWEEP_INTERVAL_MS = 50

/** The connections of a server that are open now; with TLS, those whose handshake is done. */
export class OpenConnections {
  readonly #sockets = new Set<Socket>()
  #unused: ReadonlySet<Socket> = new Set()

  constructor(server: Server) {
    const add = (socket: Socket): void => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    }
    server.on('setSecureContext' in server ? 'secureConnection' : 'connection', add)
  }

  /** Ends all of them, whatever is on its way. */
  closeAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Ends those that have brought nothing yet, and neither had when it was last asked. */
  closeUnused(): void {
    const unused = [...this.#sockets].filter((socket) => socket.bytesRead === 0)
    for (const socket of unused) if (this.#unused.has(socket)) socket.destroy()
    this.#unused = new Set(unused)
  }
}

/**
 * Stops accepting connections, lets what is in flight be answered, and cuts what has not ended after the grace.
 * A connection that falls idle meanwhile is closed at the next sweep; left alone it would live on for its keep-alive.
 * So is one that was opened ahead of need and has brought no request, which Node does not count among the idle.
 */
export async function closeGracefully(
  server: FastifyInstance,
  connections: OpenConnections,
  graceMs: number,
): Promise<void> {
  const sweep = setInterval(() => {
    server.server.closeIdleConnections()
    connections.closeUnused()
  }, SWEEP_INTERVAL_MS)
  const deadline = setTimeout(() => connections.closeAll(), graceMs)
  try {
    await server.close()
  } finally {
    clearInterval(sweep)
    clearTimeout(deadline)
  }
}
