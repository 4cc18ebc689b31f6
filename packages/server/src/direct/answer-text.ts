import { STATUS_CODES } from 'node:http'

/** An answer, before it is known how it leaves. The names of its headers are in lower case. */
export interface DirectAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const VALUE = /^[\t\x20-\x7e]*$/

/** The answer as it goes over the wire, without its body: the bytes that Node would write. `close`: the connection ends with it. */
export function headText(
  { status, headers }: DirectAnswer,
  { close, keepAliveSeconds }: { close: boolean; keepAliveSeconds: number },
): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`
  for (const name in headers) {
    const value = headers[name] ?? ''
    // A value that could end its line would let whoever chose it write headers of their own.
    if (!VALUE.test(value)) throw new TypeError(`the header ${name} has a value that is no text of one line`)
    text += `${name}: ${value}\r\n`
  }
  const connection = close
    ? 'Connection: close'
    : `Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveSeconds}`
  return `${text}Date: ${dateText()}\r\n${connection}\r\n\r\n`
}

let dateSecond = 0
let dateOfSecond = ''

/** Written once a second. */
function dateText(): string {
  const nowMs = Date.now()
  const second = Math.floor(nowMs / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    dateOfSecond = new Date(nowMs).toUTCString()
  }
  return dateOfSecond
}
