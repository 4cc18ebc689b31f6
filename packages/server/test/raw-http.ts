import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  /** 0: the connection ended without an answer. */
  readonly status: number
  readonly head: string
  readonly body: string
}

/** A connection on which every byte is the test's own: what `fetch` would refuse to send, and when it is sent. */
export class RawConnection {
  readonly #socket: Socket
  readonly #ended = Promise.withResolvers<void>()
  #received = ''

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text: string) => {
      this.#received += text
    })
    // A server that has answered and closed resets what is still being sent.
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => this.#ended.resolve())
  }

  /** Resolves once the bytes have left, or the connection has ended. */
  async send(text: string): Promise<void> {
    await Promise.race([
      new Promise<void>((resolve) => this.#socket.write(text, 'latin1', () => resolve())),
      this.#ended.promise,
    ])
  }

  /** What was answered until the server closed the connection. */
  async answer(): Promise<RawAnswer> {
    await this.#ended.promise
    return readAnswer(this.#received)
  }
}

/** Sends one request, in one piece, and reads the answer. */
export async function sendRaw(port: number, request: string): Promise<RawAnswer> {
  const connection = new RawConnection(port)
  await connection.send(request)
  return connection.answer()
}

/** A request as text; the server is asked to close the connection after it. */
export function rawRequest(line: string, headers: readonly string[], body = ''): string {
  return [
    `${line} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    ...headers,
    ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`]),
    '',
    body,
  ].join('\r\n')
}

function readAnswer(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), head, body: rest.join('\r\n\r\n') }
}
