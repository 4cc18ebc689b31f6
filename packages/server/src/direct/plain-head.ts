/** The head of a request that is written as almost every client writes it. */
export interface PlainHead {
  /** Names and values in turn, as they came over the wire. */
  readonly rawHeaders: readonly string[]
  /** Bytes of the body: at least one. */
  readonly contentLength: number
  /** Where the body begins. */
  readonly bodyStart: number
  /** The client wants the connection to end with the answer. */
  readonly close: boolean
}

/** More than any client sends. */
const MAX_HEADERS = 100

/**
 * One header field of RFC 9112, section 5, in its usual spelling: a name, a colon, at most one space, and a value of visible
 * ASCII that is not empty.
 */
const FIELD = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?([\x21-\x7e][\t\x20-\x7e]*)\r\n/y
const LENGTH = /^[1-9]\d{0,8}$/

/** What changes how the request is to be read, or who sent it. */
const NOT_PLAIN: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'content-encoding',
  'expect',
  'upgrade',
  'trailer',
])

/**
 * Reads header fields up to the empty line that ends them. `text` is bytes as Latin-1, `start` where the fields begin.
 *
 * Undefined for whatever could be read in two ways, or asks for more than an answer: it must be left, untouched, to a parser
 * that knows all of HTTP. So it need not know why a head is not plain, and nothing is refused here. `refused` are more
 * names, in lower case, that make a head not plain.
 */
export function readPlainHead(
  text: string,
  start: number,
  refused: ReadonlySet<string>,
): PlainHead | undefined {
  const rawHeaders: string[] = []
  let [hosts, types, connections, contentLength, close] = [0, 0, 0, 0, false]
  let at = start
  FIELD.lastIndex = at
  for (let field = FIELD.exec(text); field !== null; field = FIELD.exec(text)) {
    at = FIELD.lastIndex
    const name = field[1] ?? ''
    const value = field[2] ?? ''
    if (endsInSpace(value)) return undefined
    rawHeaders.push(name, value)
    const known = name.toLowerCase()
    if (known === 'host') hosts++
    else if (known === 'content-type') {
      types++
      if (value !== 'application/json') return undefined
    } else if (known === 'content-length') {
      if (contentLength !== 0 || !LENGTH.test(value)) return undefined
      contentLength = Number(value)
    } else if (known === 'connection') {
      connections++
      close = /^close$/i.test(value)
      if (!close && !/^keep-alive$/i.test(value)) return undefined
    } else if (NOT_PLAIN.has(known) || refused.has(known)) return undefined
  }
  if (hosts !== 1 || types !== 1 || connections > 1 || contentLength === 0) return undefined
  if (rawHeaders.length > 2 * MAX_HEADERS || !text.startsWith('\r\n', at)) return undefined
  return { rawHeaders, contentLength, bodyStart: at + 2, close }
}

function endsInSpace(value: string): boolean {
  const last = value.charCodeAt(value.length - 1)
  return last === 0x20 || last === 0x09
}
