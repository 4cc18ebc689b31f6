import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatPermissionQuery } from './format-permission-query.ts'
import { covers } from './permission.ts'
import {
  compilePermissionQuery,
  isSatisfied,
  type PermissionQuery,
  parsePermissionQuery,
} from './permission-query.ts'

/** The reference: a tree, written down with as many parentheses and spaces as chance will have it. */
type Tree =
  | { readonly type: 'term'; readonly permission: string }
  | { readonly type: 'and' | 'or'; readonly left: Tree; readonly right: Tree }

function holds(tree: Tree, permissions: readonly string[]): boolean {
  if (tree.type === 'term') return permissions.some((permission) => covers(permission, tree.permission))
  const left = holds(tree.left, permissions)
  const right = holds(tree.right, permissions)
  return tree.type === 'and' ? left && right : left || right
}

function write(tree: Tree, noise: () => number, parent: 'and' | 'or' = 'or'): string {
  const space = ' '.repeat(noise() + 1)
  const bare =
    tree.type === 'term'
      ? tree.permission
      : `${write(tree.left, noise, tree.type)}${space}${tree.type}${space}${write(tree.right, noise, tree.type)}`
  const needed = tree.type === 'or' && parent === 'and'
  return needed || noise() === 2 ? `( ${bare})` : bare
}

const segment = fc.constantFrom('a', 'b', 'and', 'or', '*')
const permission = fc.tuple(segment, segment).map(([resource, action]) => `${resource}:${action}`)
const { tree } = fc.letrec<{ tree: Tree; term: Tree; joined: Tree }>((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, tie('term'), tie('joined')),
  term: permission.map((text): Tree => ({ type: 'term', permission: text })),
  joined: fc.record({
    type: fc.constantFrom<'and' | 'or'>('and', 'or'),
    left: tie('tree'),
    right: tie('tree'),
  }),
}))
const written = fc
  .tuple(tree, fc.infiniteStream(fc.nat({ max: 2 })))
  .map(([reference, stream]) => ({ reference, text: write(reference, () => stream.next().value ?? 0) }))

describe('a permission query', () => {
  test('R1: it is satisfied exactly when its reading as a tree is', () => {
    fc.assert(
      fc.property(written, fc.array(permission, { maxLength: 5 }), ({ reference, text }, held) => {
        expect(isSatisfied(parsed(text), held)).toBe(holds(reference, held))
      }),
      { numRuns: 1000 },
    )
  })

  test('R1: its normal spelling reads as the same query, and is its own normal spelling', () => {
    fc.assert(
      fc.property(written, fc.array(permission, { maxLength: 5 }), ({ text }, held) => {
        const query = parsed(text)
        const again = parsed(formatPermissionQuery(query))
        expect(again).toEqual(query)
        expect(isSatisfied(again, held)).toBe(isSatisfied(query, held))
      }),
    )
  })

  test('R1: "and" binds closer than "or"', () => {
    expect(satisfied('a:a or b:b and c:c', ['a:a'])).toBe(true)
    expect(satisfied('a:a and b:b or c:c', ['c:c'])).toBe(true)
    expect(satisfied('a:a and (b:b or c:c)', ['c:c'])).toBe(false)
    expect(formatPermissionQuery(parsed('((a:a)) and (b:b or (c:c))'))).toBe('a:a and (b:b or c:c)')
  })

  test('R1: asking for billing:* needs a grant that covers all of billing', () => {
    expect(satisfied('billing:*', ['billing:read', 'billing:write', '*:read'])).toBe(false)
    expect(satisfied('billing:*', ['billing:*'])).toBe(true)
  })

  test('R1: "and" and "or" with a colon are permissions like others', () => {
    expect(satisfied('and:or and or:and', ['and:*', 'or:*'])).toBe(true)
  })

  test('R1: no permissions satisfy no query', () => {
    expect(satisfied('a:a or b:b', [])).toBe(false)
  })

  test.each([
    ['', 1],
    ['   ', 4],
    ['documents', 1],
    ['a:a b:b', 5],
    ['a:a and', 8],
    ['and a:a', 1],
    ['a:a or or b:b', 8],
    ['a:a AND b:b', 5],
    ['(a:a', 5],
    ['a:a)', 4],
    ['()', 2],
    ['a:a, b:b', 1],
    ['a:a && b:b', 5],
    ['not a:a', 1],
    ['a:a:a', 1],
  ])('R1: %j is none, and the fault names character %i', (text, place) => {
    const fault = parsePermissionQuery(text)
    expect('fault' in fault && fault.fault).toContain(`character ${place}:`)
  })

  test('a fault repeats nothing of the text, which may hold a secret by mistake', () => {
    const fault = parsePermissionQuery('ck_0123456789secret')
    expect(JSON.stringify(fault)).not.toContain('secret')
  })

  test('length, number of permissions and depth are capped', () => {
    expect(isQuery(`a:${'a'.repeat(2046)}`)).toBe(true)
    expect(isQuery(`a:${'a'.repeat(2047)}`)).toBe(false)
    expect(isQuery(new Array(64).fill('a:a').join(' or '))).toBe(true)
    expect(isQuery(new Array(65).fill('a:a').join(' or '))).toBe(false)
    expect(isQuery(`${'('.repeat(32)}a:a${')'.repeat(32)}`)).toBe(true)
    expect(isQuery(`${'('.repeat(33)}a:a${')'.repeat(33)}`)).toBe(false)
    expect(isQuery(new Array(40).fill('(a:a)').join(' or '))).toBe(true)
  })

  test('any text is a query or a fault, never an exception', () => {
    const piece = fc.constantFrom('a:a', 'and', 'or', '(', ')', ' ', '\n', '*', ':', 'é', '\ud800')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join(' ')),
        ),
        (text) => {
          const result = parsePermissionQuery(text)
          expect('fault' in result ? typeof result.fault : typeof formatPermissionQuery(result)).toBe(
            'string',
          )
        },
      ),
    )
  })
})

describe('compiling', () => {
  test('the same text gives the same query, also after others came and went', () => {
    const query = compilePermissionQuery('kept:read')
    expect(compilePermissionQuery('kept:read')).toBe(query)
    for (let index = 0; index < 1000; index++) compilePermissionQuery(`other:n${index}`)
    expect(compilePermissionQuery('kept:read')).not.toBe(query)
    expect(compilePermissionQuery('kept:read')).toMatchObject({ text: 'kept:read' })
  })

  test('a fault stays a fault', () => {
    expect(compilePermissionQuery('kept:')).toEqual(parsePermissionQuery('kept:'))
    expect(compilePermissionQuery('kept:')).toEqual(parsePermissionQuery('kept:'))
  })
})

function parsed(text: string): PermissionQuery {
  const query = parsePermissionQuery(text)
  if ('fault' in query) throw new Error(`${text}: ${query.fault}`)
  return query
}

function satisfied(text: string, permissions: readonly string[]): boolean {
  return isSatisfied(parsed(text), permissions)
}

function isQuery(text: string): boolean {
  return !('fault' in parsePermissionQuery(text))
}
