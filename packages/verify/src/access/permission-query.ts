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
export interface PermissionQuery {
  /** The query in its one normal spelling: single spaces, no parentheses that are not needed. */
  readonly text: string
  /** Whether the permissions held satisfy the query. Allocates nothing. */
  isSatisfiedBy(permissions: readonly string[]): boolean
}

/** Why a text is no query: one sentence that names the place, and repeats nothing of the text. */
export interface QueryFault {
  readonly fault: string
}

export const MAX_QUERY_LENGTH = 2048
export const MAX_QUERY_TERMS = 64
export const MAX_QUERY_DEPTH = 32

const MAX_COMPILED_QUERIES = 1000

type Expression =
  | { readonly type: 'permission'; readonly text: string; readonly grantedBy: readonly string[] }
  | { readonly type: 'and' | 'or'; readonly operands: readonly Expression[] }

/** Reads a query. Costs a few microseconds: see {@link compilePermissionQuery} for use on each request. */
export function parsePermissionQuery(text: string): PermissionQuery | QueryFault {
  if (text.length > MAX_QUERY_LENGTH) {
    return { fault: `A permission query is at most ${MAX_QUERY_LENGTH} characters long.` }
  }
  const expression = new QueryParser(text).parse()
  return 'fault' in expression ? expression : new ParsedQuery(expression)
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

class ParsedQuery implements PermissionQuery {
  readonly text: string
  readonly #expression: Expression

  constructor(expression: Expression) {
    this.text = format(expression)
    this.#expression = expression
  }

  isSatisfiedBy(permissions: readonly string[]): boolean {
    return isSatisfied(this.#expression, permissions)
  }
}

function isSatisfied(expression: Expression, permissions: readonly string[]): boolean {
  if (expression.type === 'permission') {
    for (const permission of permissions) {
      if (expression.grantedBy.includes(permission)) return true
    }
    return false
  }
  const decisive = expression.type === 'or'
  for (const operand of expression.operands) {
    if (isSatisfied(operand, permissions) === decisive) return decisive
  }
  return !decisive
}

function format(expression: Expression): string {
  if (expression.type === 'permission') return expression.text
  return expression.operands
    .map((operand) =>
      expression.type === 'and' && operand.type === 'or' ? `(${format(operand)})` : format(operand),
    )
    .join(` ${expression.type} `)
}

/** Recursive descent; the depth cap bounds the recursion here and in the evaluation. */
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

  parse(): Expression | QueryFault {
    const expression = this.#alternatives()
    if ('fault' in expression || this.#next === this.#words.length) return expression
    return this.#fault('expected "and", "or" or the end')
  }

  #alternatives(): Expression | QueryFault {
    return this.#joined('or', () => this.#joined('and', () => this.#operand()))
  }

  #joined(type: 'and' | 'or', operand: () => Expression | QueryFault): Expression | QueryFault {
    const first = operand()
    if ('fault' in first) return first
    const operands: Expression[] = flat(type, first)
    while (this.#word() === type) {
      this.#next++
      const following = operand()
      if ('fault' in following) return following
      operands.push(...flat(type, following))
    }
    return operands.length === 1 ? first : { type, operands }
  }

  #operand(): Expression | QueryFault {
    const word = this.#word()
    if (word === '(') return this.#group()
    if (word === undefined || !isPermission(word)) {
      return this.#fault('expected a permission (resource:action, lower case) or "("')
    }
    if (++this.#terms > MAX_QUERY_TERMS) return this.#fault(`more than ${MAX_QUERY_TERMS} permissions`)
    this.#next++
    return { type: 'permission', text: word, grantedBy: coveringPatterns(word) }
  }

  #group(): Expression | QueryFault {
    if (++this.#depth > MAX_QUERY_DEPTH) return this.#fault(`more than ${MAX_QUERY_DEPTH} parentheses deep`)
    this.#next++
    const inner = this.#alternatives()
    if ('fault' in inner) return inner
    if (this.#word() !== ')') return this.#fault('expected "and", "or" or ")"')
    this.#next++
    this.#depth--
    return inner
  }

  #word(): string | undefined {
    return this.#words[this.#next]?.[0]
  }

  #fault(what: string): QueryFault {
    const place = (this.#words[this.#next]?.index ?? this.#end) + 1
    return { fault: `Permission query, character ${place}: ${what}.` }
  }
}

/** `a and (b and c)` is `a and b and c`: one shape for one meaning. */
function flat(type: 'and' | 'or', expression: Expression): Expression[] {
  return expression.type === type ? [...expression.operands] : [expression]
}
