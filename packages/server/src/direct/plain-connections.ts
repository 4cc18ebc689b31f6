import type { Buffer } from 'node:buffer'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpLimits } from '../http-limits.ts'
import type { DirectLane } from './direct-lane.ts'
import { PlainConnection, type PlainConnectionParts } from './plain-connection.ts'

/**
 * The connections of a server that it has not been given yet: each is read here until it brings what is not plainly a
 * request of the direct lane (decision 0033).
 */
export class PlainConnections {
  readonly #connections = new Set<PlainConnection>()
  readonly #limits: HttpLimits

  /** Stands before the server, from its first connection on. With TLS, behind the handshake. */
  constructor(server: Server, { lane, limits }: { lane: DirectLane; limits: HttpLimits }) {
    this.#limits = limits
    const event = 'setSecureContext' in server ? 'secureConnection' : 'connection'
    const accept = server.listeners(event)
    const parts: PlainConnectionParts = {
      lane,
      maxHeaderBytes: limits.maxHeaderBytes,
      keepAliveSeconds: Math.floor(limits.keepAliveTimeoutMs / 1000),
      giveToNode: (socket, unread) => {
        for (const listener of accept) listener.call(server, socket)
        returnUnread(socket, unread)
      },
      onGone: (connection) => this.#connections.delete(connection),
    }
    server.removeAllListeners(event)
    server.on(event, (socket: Socket) => this.#connections.add(new PlainConnection(socket, parts)))
    const timer = setInterval(() => this.#look(), limits.timeoutCheckIntervalMs).unref()
    server.once('close', () => clearInterval(timer))
  }

  /** Ends those that wait for their next request. */
  closeIdle(): void {
    for (const connection of this.#connections)
      if (connection.used && connection.waiting) connection.destroy()
  }

  /** Ends those that bring nothing any more, as Node does with its own. */
  #look(): void {
    const { headersTimeoutMs, keepAliveTimeoutMs, timeoutCheckIntervalMs } = this.#limits
    for (const connection of this.#connections) {
      connection.look()
      const quietMs = (connection.looks - 1) * timeoutCheckIntervalMs
      const mostMs = connection.used ? keepAliveTimeoutMs : headersTimeoutMs
      if (connection.waiting && quietMs >= mostMs) connection.destroy()
    }
  }
}

/** Has a socket bring these bytes before those that follow. */
function returnUnread(socket: Socket, unread: Buffer): void {
  socket.unshift(unread)
  socket.resume()
}
