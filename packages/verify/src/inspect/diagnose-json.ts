import { parseStrictJson } from '../tokens/strict-json.ts'
import { decodeUtf8 } from '../tokens/utf8.ts'

/** The same bound as strict JSON has. */
const MAX_DEPTH = 32

/** What was read of a part of a token. */
export interface Diagnosis {
  /** Undefined: it is strict JSON. Else what is wrong, as the rest of a sentence about it. */
  readonly fault: string | undefined
  /** The members, read leniently where there is a fault; undefined when there are none to be read. */
  readonly members: Record<string, unknown> | undefined
}

/** Reads JSON as `parseStrictJson` does, but says which of its rules is broken, and shows what can be read. */
export function diagnoseJson(bytes: Uint8Array): Diagnosis {
  const json = decodeUtf8(bytes)
  if (json === undefined) return { fault: 'is not UTF-8', members: undefined }
  const members = parseStrictJson(json)
  return members === undefined ? diagnose(json) : { fault: undefined, members }
}

function diagnose(json: string): Diagnosis {
  if (json.startsWith('\ufeff')) return { fault: 'begins with a byte order mark', members: undefined }
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    const nested = json.split('.').length === 3
    const fault = nested ? 'is a token itself, and nested tokens are not looked into' : 'is not JSON'
    return { fault, members: undefined }
  }
  const structure = structureFault(json)
  if (structure?.isTooDeep === true) return { fault: structure.fault, members: undefined }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { fault: 'is JSON, but no object', members: undefined }
  }
  const fault = structure?.fault ?? valueFault(value) ?? 'holds text that two readers could read differently'
  const members: Record<string, unknown> = { ...value }
  // An own member, and harmless here, but not where somebody copies the object by assignment.
  Reflect.deleteProperty(members, '__proto__')
  return { fault, members }
}

/** What is wrong with the members as they are written, in valid JSON. */
function structureFault(json: string): { fault: string; isTooDeep: boolean } | undefined {
  const open: Set<string>[] = []
  let twice: string | undefined
  for (const [token, name] of json.matchAll(/("(?:[^"\\]|\\.)*")[ \t\n\r]*:|"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === '{' || token === '[') {
      open.push(new Set())
      if (open.length > MAX_DEPTH) {
        return { fault: `is nested deeper than ${MAX_DEPTH}`, isTooDeep: true }
      }
    } else if (token === '}' || token === ']') {
      open.pop()
    } else if (name !== undefined) {
      const read = String(JSON.parse(name))
      const names = open.at(-1)
      if (names?.has(read) === true) twice ??= read
      names?.add(read)
    }
  }
  return twice === undefined ? undefined : { fault: `has the member ${twice} twice`, isTooDeep: false }
}

/** What is wrong with the values, nested no deeper than the bound. */
function valueFault(value: unknown): string | undefined {
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    return 'has a number that no program can hold'
  }
  if (typeof value === 'string') {
    return value.isWellFormed() ? undefined : 'holds half of a character (a surrogate without its pair)'
  }
  if (typeof value !== 'object' || value === null) return undefined
  for (const name of Array.isArray(value) ? [] : Object.keys(value)) {
    if (name === '__proto__') return 'has a member __proto__'
    if (JSON.stringify(name).includes('\\')) {
      return 'has a name with a quote, a backslash or a control character in it'
    }
  }
  for (const member of Object.values(value)) {
    const fault = valueFault(member)
    if (fault !== undefined) return fault
  }
  return undefined
}
