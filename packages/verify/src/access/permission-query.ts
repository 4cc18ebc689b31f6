import { coveringPatterns, isPermission } from './permission.ts'

/**
 * The query that a verifier is asked with (rule R1): permissions joined with `and`, `or` and parentheses.
 * `and` binds closer than `or`.
 *
 * ```
 * query = conjunction ("or" conjunction)*
 * conjunction = operand ("and" operand)*
 * operand = permission | "(" query ")"
 * ```
 */
export type PermissionQuery =
  | {
      readonly type: 'permission'
      readonly text: string
      /** Every permission that covers it. */
      readonly grantedBy: readonly string[]
    }
  | { readonly type: 'and' | 'or'; readonly operands: readonly PermissionQuery[] }

/** Why a text is no query: one sentence that names the place, and repeats nothing of the text. */
export interface QueryFault {
  readonly fault: string
}

export const MAX_QUERY_LENGTH = 2048
export const MAX_QUERY_TERMS = 64
export const MAX_QUERY_DEPTH = 32

const MAX_COMPILED_QUERIES = 1000

/** Reads a query. Costs a few microseconds: see {@link compilePermissionQuery} for use on each request. */
export function parsePermissionQuery(text: string): PermissionQuery | QueryFault {
  if (text.length > MAX_QUERY_LENGTH) {
    return { fault: `A permission query is at most ${MAX_QUERY_LENGTH} characters long.` }
  }
  try {
    return new QueryParser(text).parse()
  } catch (error) {
    if (error instanceof SyntaxError) return { fault: error.message }
    throw error
  }
}

const compiled = new Map<string, PermissionQuery>()

/** Like {@link parsePermissionQuery}, and remembers 1,000 texts: a service asks the same few queries. */
export function compilePermissionQuery(text: string): PermissionQuery | QueryFault {
  const known = compiled.get(text)
  if (known !== undefined) return known
  const query = parsePermissionQuery(text)
  if ('fault' in query) return query
  if (compiled.size >= MAX_COMPILED_QUERIES) {
    for (const oldest of compiled.keys()) {
      compiled.delete(oldest)
      break
    }
  }
  compiled.set(text, query)
  return query
}

/** Whether the permissions held satisfy the query. Allocates nothing. */
export function isSatisfied(query: PermissionQuery, permissions: readonly string[]): boolean {
  if (query.type === 'permission') {
    for (const permission of permissions) {
      if (query.grantedBy.includes(permission)) return true
    }
    return false
  }
  const decisive = query.type === 'or'
  for (const operand of query.operands) {
    if (isSatisfied(operand, permissions) === decisive) return decisive
  }
  return !decisive
}

/** Recursive descent, ended by a SyntaxError; the depth cap bounds the recursion here and in the evaluation. */
class QueryParser {
  readonly #words: RegExpMatchArray[]
  readonly #end: number
  #next = 0
  #terms = 0
  #depth = 0

  constructor(text: string) {
    this.#words = [...text.matchAll(/[()]|[^\s()]+/g)]
    this.#end = text.length
  }

  parse(): PermissionQuery {
    const query = this.#alternatives()
    return this.#next === this.#words.length ? query : this.#fail('expected "and", "or" or the end')
  }

  #alternatives(): PermissionQuery {
    return this.#joined('or', () => this.#joined('and', () => this.#operand()))
  }

  #joined(type: 'and' | 'or', operand: () => PermissionQuery): PermissionQuery {
    const first = operand()
    const operands: PermissionQuery[] = flat(type, first)
    while (this.#word() === type) {
      this.#next++
      operands.push(...flat(type, operand()))
    }
    return operands.length === 1 ? first : { type, operands }
  }

  #operand(): PermissionQuery {
    const word = this.#word()
    if (word === '(') return this.#group()
    if (word === undefined || !isPermission(word)) {
      return this.#fail('expected a permission (resource:action, lower case) or "("')
    }
    if (++this.#terms > MAX_QUERY_TERMS) return this.#fail(`more than ${MAX_QUERY_TERMS} permissions`)
    this.#next++
    return { type: 'permission', text: word, grantedBy: coveringPatterns(word) }
  }

  #group(): PermissionQuery {
    if (++this.#depth > MAX_QUERY_DEPTH) return this.#fail(`more than ${MAX_QUERY_DEPTH} parentheses deep`)
    this.#next++
    const inner = this.#alternatives()
    if (this.#word() !== ')') return this.#fail('expected "and", "or" or ")"')
    this.#next++
    this.#depth--
    return inner
  }

  #word(): string | undefined {
    return this.#words[this.#next]?.[0]
  }

  #fail(what: string): never {
    const place = (this.#words[this.#next]?.index ?? this.#end) + 1
    throw new SyntaxError(`Permission query, character ${place}: ${what}.`)
  }
}

/** `a and (b and c)` is `a and b and c`: one shape for one meaning. */
function flat(type: 'and' | 'or', query: PermissionQuery): PermissionQuery[] {
  return query.type === type ? [...query.operands] : [query]
}
