import { Buffer } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DirectAnswer } from './answer-text.ts'
import type { Carrier, DirectLane } from './direct-lane.ts'

/**
 * Takes a request that came through Node's server the short way. False: it is not for this way, and nothing of it was read.
 */
export function takeMessage(lane: DirectLane, request: IncomingMessage, response: ServerResponse): boolean {
  const { headers, rawHeaders, socket } = request
  const found = lane.find(`${request.method} ${request.url}`)
  // What waits for its turn waits as bytes, and these are read already.
  if (found === undefined || found.gate !== null) return false
  if (!lane.open || !lane.takes(Number(headers['content-length']))) return false
  if (headers['content-type'] !== 'application/json' || headers['content-encoding'] !== undefined)
    return false
  for (const name of found.refusedHeaders) if (headers[name] !== undefined) return false
  const { remoteAddress } = socket
  if (remoteAddress === undefined) return false
  const exchange = lane.admit(found, rawHeaders, new MessageCarrier(lane, remoteAddress, response))
  if (exchange === undefined || exchange === 'ask') return false
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const [first] = parts
    lane.run(exchange, parts.length === 1 && first !== undefined ? first : Buffer.concat(parts))
  })
  return true
}

class MessageCarrier implements Carrier {
  readonly clientAddress: string
  readonly #lane: DirectLane
  readonly #response: ServerResponse

  constructor(lane: DirectLane, clientAddress: string, response: ServerResponse) {
    this.#lane = lane
    this.clientAddress = clientAddress
    this.#response = response
  }

  write({ status, headers, body }: DirectAnswer): void {
    const length = Buffer.byteLength(body)
    this.#response.writeHead(status, {
      ...headers,
      'content-length': String(length),
      ...(this.#lane.closing ? { connection: 'close' } : {}),
    })
    // Of ASCII alone, which then needs no encoding.
    this.#response.end(body, length === body.length ? 'latin1' : 'utf8')
  }
}
