import { asciiReader } from '../crypto.ts'
import { emptyPayload, KNOWN_CLAIMS, type KnownClaim, type Payload } from './payload.ts'

const QUOTE = '"'.charCodeAt(0)
const BACKSLASH = '\\'.charCodeAt(0)
const COLON = ':'.charCodeAt(0)
const COMMA = ','.charCodeAt(0)
const OPEN_BRACE = '{'.charCodeAt(0)
const CLOSE_BRACE = '}'.charCodeAt(0)
const OPEN_BRACKET = '['.charCodeAt(0)
const CLOSE_BRACKET = ']'.charCodeAt(0)
const ZERO = '0'.charCodeAt(0)
const NINE = '9'.charCodeAt(0)
const FIRST_PRINTABLE = ' '.charCodeAt(0)
const LAST_PRINTABLE = '~'.charCodeAt(0)

/** So many digits always make an integer that a double holds. */
const MAX_DIGITS = 15
/** Lists and objects in each other. */
const MAX_DEPTH = 4

/** The known claims by the length of their names, so that few are compared. */
const KNOWN_BY_LENGTH: readonly (readonly KnownClaim[])[] = Array.from({ length: 12 }, (_, length) =>
  KNOWN_CLAIMS.filter((name) => name.length === length),
)
const NONE: readonly KnownClaim[] = []

/** No value of the plain kind stands there. */
const NOT_PLAIN = Symbol('not plain')

/** What is being read, and how far. Shared by all calls, none of which leaves anything there for another. */
let json = ''
let bytes: Uint8Array = new Uint8Array(0)
let length = 0
let at = 0

/**
 * Reads a payload as nearly all issuers write it: compact JSON of printable ASCII without escapes, numbers that
 * are plain integers. Undefined for anything else, good or bad, which `parseStrictJson` has to look at; it gives
 * the same for all that this gives (a property test holds them together).
 *
 * Takes the text, a character a byte, and its bytes, which may be followed by others. One pass where the other needs four, and no object in between: it takes less than half of the time.
 */
export function readPlainPayload(ascii: string, source: Uint8Array): Payload | undefined {
  json = ascii
  bytes = source
  length = ascii.length
  at = 0
  const payload = readPayload()
  json = ''
  return payload
}

/** The same for what stands in this memory from its beginning on: takes how many bytes. */
export function payloadReader(memory: Uint8Array): (length: number) => Payload | undefined {
  const readAscii = asciiReader(memory)
  return (length) => readPlainPayload(readAscii(length), memory)
}

/**
 * The same for any object, of no more than four levels. Takes ASCII, or text whose characters beyond it are no ASCII
 * either.
 */
export function readPlainObject(ascii: string, source: Uint8Array): Record<string, unknown> | undefined {
  json = ascii
  bytes = source
  length = ascii.length
  at = 0
  const object = bytes[0] === OPEN_BRACE ? readObject(MAX_DEPTH) : NOT_PLAIN
  json = ''
  return object === NOT_PLAIN || at !== length ? undefined : object
}

function readPayload(): Payload | undefined {
  if (bytes[at++] !== OPEN_BRACE) return undefined
  const payload = emptyPayload()
  for (;;) {
    const start = at + 1
    if (!skipString()) return undefined
    const end = at - 1
    if (bytes[at++] !== COLON) return undefined
    const value = readValue(MAX_DEPTH)
    if (value === NOT_PLAIN || !keep(payload, start, end, value)) return undefined
    const next = bytes[at++]
    if (next === CLOSE_BRACE) return at === length ? payload : undefined
    if (next !== COMMA) return undefined
  }
}

/** False when the member stands twice, or has a name that no payload may have. */
function keep(payload: Payload, start: number, end: number, value: unknown): boolean {
  for (const name of KNOWN_BY_LENGTH[end - start] ?? NONE) {
    if (!standsAt(start, name)) continue
    if (payload[name] !== undefined) return false
    payload[name] = value
    return true
  }
  payload.custom ??= {}
  return putNew(payload.custom, json.slice(start, end), value)
}

function putNew(members: Record<string, unknown>, name: string, value: unknown): boolean {
  if (name === '__proto__' || Object.hasOwn(members, name)) return false
  members[name] = value
  return true
}

function readValue(depth: number): unknown {
  const first = bytes[at] ?? 0
  if (first === QUOTE) return readString()
  if (first >= ZERO && first <= NINE) return readInteger()
  if (depth === 0) return NOT_PLAIN
  if (first === OPEN_BRACKET) return readList(depth)
  if (first === OPEN_BRACE) return readObject(depth)
  return readLiteral()
}

function readString(): string | typeof NOT_PLAIN {
  const start = at + 1
  return skipString() ? json.slice(start, at - 1) : NOT_PLAIN
}

function skipString(): boolean {
  if (bytes[at] !== QUOTE) return false
  for (let index = at + 1; index < length; index++) {
    const byte = bytes[index] ?? 0
    if (byte === QUOTE) {
      at = index + 1
      return true
    }
    if (byte < FIRST_PRINTABLE || byte > LAST_PRINTABLE || byte === BACKSLASH) return false
  }
  return false
}

function readInteger(): number | typeof NOT_PLAIN {
  const start = at
  let number = 0
  for (; at < length; at++) {
    const byte = bytes[at] ?? 0
    if (byte < ZERO || byte > NINE) break
    number = number * 10 + (byte - ZERO)
  }
  const digits = at - start
  return digits > MAX_DIGITS || (digits > 1 && bytes[start] === ZERO) ? NOT_PLAIN : number
}

function readList(depth: number): unknown {
  const list: unknown[] = []
  if (bytes[++at] === CLOSE_BRACKET) {
    at++
    return list
  }
  for (;;) {
    const item = readValue(depth - 1)
    if (item === NOT_PLAIN) return NOT_PLAIN
    list.push(item)
    const next = bytes[at++]
    if (next === CLOSE_BRACKET) return list
    if (next !== COMMA) return NOT_PLAIN
  }
}

function readObject(depth: number): Record<string, unknown> | typeof NOT_PLAIN {
  const members: Record<string, unknown> = {}
  if (bytes[++at] === CLOSE_BRACE) {
    at++
    return members
  }
  for (;;) {
    const name = readString()
    if (name === NOT_PLAIN || bytes[at++] !== COLON) return NOT_PLAIN
    const value = readValue(depth - 1)
    if (value === NOT_PLAIN || !putNew(members, name, value)) return NOT_PLAIN
    const next = bytes[at++]
    if (next === CLOSE_BRACE) return members
    if (next !== COMMA) return NOT_PLAIN
  }
}

const LITERALS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const

function readLiteral(): unknown {
  for (const [text, value] of LITERALS) {
    if (!standsAt(at, text)) continue
    at += text.length
    return value
  }
  return NOT_PLAIN
}

function standsAt(start: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false
  }
  return true
}
