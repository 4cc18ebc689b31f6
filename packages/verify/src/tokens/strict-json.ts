/** Nesting beyond this is no token that anyone meant to sign. */
const MAX_DEPTH = 32

const QUOTE = '"'.charCodeAt(0)
const BACKSLASH = '\\'.charCodeAt(0)
const COLON = ':'.charCodeAt(0)
const OPEN_BRACE = '{'.charCodeAt(0)
const CLOSE_BRACE = '}'.charCodeAt(0)
const OPEN_BRACKET = '['.charCodeAt(0)
const CLOSE_BRACKET = ']'.charCodeAt(0)

/**
 * Reads a JSON object of which no two readers can think differently (RFC 8725, section 2.4; RFC 7493).
 *
 * Undefined when the text is not JSON or not an object, has a member twice at any depth (however spelled),
 * is nested deeper than 32, holds half a surrogate pair, a number beyond a double, a member `__proto__` (own
 * and harmless here, but not where somebody copies the object by assignment), or a name with a quote, a
 * backslash or a control character in it.
 */
export function parseStrictJson(text: string): Record<string, unknown> | undefined {
  if (!text.includes('\\')) return parseUnescaped(text)
  // Read twice, since only of valid JSON the strings can be told apart without a parser.
  const unescaped = parse(text) === undefined ? undefined : withoutEscapedNames(text)
  const value = unescaped === undefined ? undefined : parseUnescaped(unescaped)
  return value === undefined || hasHalfSurrogate(value) ? undefined : value
}

/**
 * Reads an object without escapes in its names. `JSON.parse` keeps the last of two equal members, so they are
 * found by counting: the colons outside strings are the members written, the keys of the objects are those kept.
 */
function parseUnescaped(text: string): Record<string, unknown> | undefined {
  const value = parse(text)
  if (!isObject(value) || !text.isWellFormed()) return undefined
  const written = countWritten(text)
  return written !== undefined && countKept(value) === written ? value : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const BEFORE_VALUE = /[ \t\n\r]*:/y

/**
 * The same JSON, its names written without escapes; undefined when one cannot be.
 *
 * V8 from 13 on may read an escaped name as another one that an earlier text had, if that contains a backslash
 * (nodejs/node issue 63785): whoever sends a token that is refused could have the next one misread.
 */
function withoutEscapedNames(text: string): string | undefined {
  let copied = 0
  let copy = ''
  let start = text.indexOf('"')
  while (start >= 0) {
    const end = endOfString(text, start + 1) + 1
    const literal = text.slice(start, end)
    BEFORE_VALUE.lastIndex = end
    if (literal.includes('\\') && BEFORE_VALUE.test(text)) {
      const name = JSON.stringify(JSON.parse(literal))
      if (name.includes('\\')) return undefined
      copy += text.slice(copied, start) + name
      copied = end
    }
    start = text.indexOf('"', end)
  }
  return copy + text.slice(copied)
}

/** Members that the text of valid JSON has; undefined when it nests too deeply. */
function countWritten(text: string): number | undefined {
  let members = 0
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) {
      index = endOfString(text, index + 1)
    } else if (code === COLON) {
      members++
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > MAX_DEPTH) return undefined
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth--
    }
  }
  return members
}

/** Where the quote stands that ends the string whose first character is at `start`, in valid JSON. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

/** Whether an odd number of backslashes stands before the character. */
function isEscaped(text: string, index: number): boolean {
  let first = index
  while (text.charCodeAt(first - 1) === BACKSLASH) first--
  return (index - first) % 2 === 1
}

/** Members in an object or array and all below it; NaN when a name or a number in there is refused. */
function countKept(container: object): number {
  const entries = Object.entries(container)
  let members = Array.isArray(container) ? 0 : entries.length
  for (const [name, value] of entries) members += name === '__proto__' ? Number.NaN : countBelow(value)
  return members
}

function countBelow(value: unknown): number {
  if (typeof value === 'object') return value === null ? 0 : countKept(value)
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY ? Number.NaN : 0
}

/** Only an escape can bring half a pair into text that is well-formed itself. */
function hasHalfSurrogate(value: unknown): boolean {
  if (typeof value === 'string') return !value.isWellFormed()
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, member]) => !name.isWellFormed() || hasHalfSurrogate(member))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
