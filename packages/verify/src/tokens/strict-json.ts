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
 * is nested deeper than 32, holds half a surrogate pair, a number beyond a double, or a member `__proto__`
 * (own and harmless here, but not where somebody copies the object by assignment).
 *
 * `JSON.parse` keeps the last of two equal members, so they are found by counting: the colons outside
 * strings are the members written, the keys of the objects are the members kept.
 */
export function parseStrictJson(text: string): Record<string, unknown> | undefined {
  const value = parse(text)
  if (!isObject(value) || !text.isWellFormed()) return undefined
  const escapes = text.includes('\\')
  const written = countWritten(text, escapes)
  if (written === undefined || countKept(value) !== written) return undefined
  return escapes && hasHalfSurrogate(value) ? undefined : value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Members that the text of valid JSON has; undefined when it nests too deeply. */
function countWritten(text: string, escapes: boolean): number | undefined {
  let members = 0
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) {
      index = escapes ? endOfString(text, index + 1) : text.indexOf('"', index + 1)
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

/** Where the quote stands that ends the string whose first character is at `start`. */
function endOfString(text: string, start: number): number {
  let index = start
  while (index < text.length) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) break
    index += code === BACKSLASH ? 2 : 1
  }
  return index
}

/** Members in an object or array and all below it; NaN when a name or a number in there is refused. */
function countKept(container: object): number {
  if (Array.isArray(container)) {
    let members = 0
    for (const item of container) members += countBelow(item)
    return members
  }
  const names = Object.keys(container)
  const values = container as Record<string, unknown>
  let members = names.length
  for (const name of names) members += name === '__proto__' ? Number.NaN : countBelow(values[name])
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
