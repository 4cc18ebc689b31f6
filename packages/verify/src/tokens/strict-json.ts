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
  const members = countMembers(text)
  if (members === undefined || !text.isWellFormed()) return undefined
  const value = parse(text)
  if (!isObject(value)) return undefined
  return countKept(value) === members ? value : undefined
}

/** Colons outside strings; undefined when brackets nest too deeply. Exact for JSON, harmless for the rest. */
function countMembers(text: string): number | undefined {
  let members = 0
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case QUOTE:
        index = endOfString(text, index + 1)
        break
      case COLON:
        members++
        break
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (++depth > MAX_DEPTH) return undefined
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth--
    }
  }
  return members
}

/** Where the quote stands that ends a string begun before `start`; the text's end when there is none. */
function endOfString(text: string, start: number): number {
  let index = start
  while (index < text.length) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) return index
    index += code === BACKSLASH ? 2 : 1
  }
  return index
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Members in the value and all below it; NaN when something in there is refused. */
function countKept(value: unknown): number {
  if (typeof value === 'string') return value.isWellFormed() ? 0 : Number.NaN
  if (typeof value === 'number') return Number.isFinite(value) ? 0 : Number.NaN
  if (typeof value !== 'object' || value === null) return 0
  let kept = 0
  if (Array.isArray(value)) {
    for (const item of value) kept += countKept(item)
    return kept
  }
  for (const [name, member] of Object.entries(value)) {
    if (name === '__proto__' || !name.isWellFormed()) return Number.NaN
    kept += 1 + countKept(member)
  }
  return kept
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
