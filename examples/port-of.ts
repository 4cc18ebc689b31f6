import type { Server } from 'node:http'

/** The port that a server listens on: with the port 0, the system chose it. */
export function portOf(server: Pick<Server, 'address'>): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('The server has no port.')
  return address.port
}
