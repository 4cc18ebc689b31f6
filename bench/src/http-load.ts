import { Buffer } from 'node:buffer'
import { connect } from 'node:net'

export interface Answer {
  readonly head: string
  readonly body: string
}

/** A request as it goes over the wire. */
export function encodeRequest(path: string, { key, body }: { key: string; body: object }): Buffer {
  const text = JSON.stringify(body)
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${key}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  )
}

/**
 * Sends the requests over so many connections, on each one after another, and says how many answers were accepted.
 * It speaks HTTP by hand: a client of the platform would cost more than the server that is measured.
 */
export async function sendAll(
  url: string,
  requests: readonly Buffer[],
  { connections, accepts }: { connections: number; accepts: (answer: Answer) => boolean },
): Promise<number> {
  let next = 0
  let accepted = 0
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), noDelay: true })
      let received = ''
      const sendNext = (): void => {
        const request = requests[next++]
        if (request === undefined) socket.end()
        else socket.write(request)
      }
      socket.on('connect', sendNext)
      socket.on('data', (part) => {
        received += part.toString('latin1')
        const answer = readAnswer(received)
        if (answer === undefined) return
        received = ''
        if (accepts(answer)) accepted++
        sendNext()
      })
      socket.on('error', reject)
      socket.on('close', () => resolve())
    })
  await Promise.all(Array.from({ length: connections }, work))
  return accepted
}

/** The answer, once all of it is there. */
function readAnswer(received: string): Answer | undefined {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = received.slice(0, headEnd)
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1])
  const body = received.slice(headEnd + 4)
  return body.length < length ? undefined : { head, body }
}
