import { connect, type Socket } from 'node:net'

/**
 * One kept-alive connection that writes requests as they lie ready and reads no more of an answer than its length and
 * status: two cores are shared with the server, and what a client computes is taken from it. One request at a time.
 */
export class RawConnection {
  readonly #socket: Socket
  #received = ''
  #waiting: { resolve(status: number): void; reject(error: Error): void } | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.#read(text))
    socket.on('error', (error) => this.#waiting?.reject(error))
    socket.on('close', () => this.#waiting?.reject(new Error('The server closed the connection.')))
  }

  static open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url)
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => resolve(new RawConnection(socket)))
      socket.once('error', reject)
    })
  }

  /** Resolves with the status once the whole answer has arrived. */
  send(request: string): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    this.#waiting = { resolve, reject }
    this.#socket.write(request, 'latin1')
    return promise
  }

  close(): void {
    this.#waiting = null
    this.#socket.destroy()
  }

  #read(text: string): void {
    this.#received += text
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return
    const length = Number(/content-length: (\d+)/i.exec(this.#received)?.[1])
    if (Number.isNaN(length)) throw new TypeError('an answer states no length')
    if (this.#received.length < end + 4 + length) return
    const status = Number(this.#received.slice(9, 12))
    this.#received = ''
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.resolve(status)
  }
}

/** The bytes of a request with a JSON body. ASCII only: a character is a byte. */
export function rawRequest(
  path: string,
  { key, body }: { readonly key: string; readonly body: object },
): string {
  const text = JSON.stringify(body)
  return [
    `POST ${path} HTTP/1.1`,
    'host: localhost',
    `authorization: Bearer ${key}`,
    'content-type: application/json',
    `content-length: ${text.length}`,
    '',
    text,
  ].join('\r\n')
}
