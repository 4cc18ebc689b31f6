import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { coveringPatterns, covers, intersectPatterns, isPermission } from './permission.ts'

/**
 * The brute-force model: a pattern is the set of concrete permissions it stands for. Names are without end;
 * one name that no pattern mentions (`other`) stands for all the rest.
 */
const NAMES = ['a', 'b', 'other']
const UNIVERSE = NAMES.flatMap((resource) => NAMES.map((action) => `${resource}:${action}`))

function denoted(pattern: string): string[] {
  const [resource, action] = pattern.split(':')
  return UNIVERSE.filter((concrete) => {
    const [r, a] = concrete.split(':')
    return (resource === '*' || resource === r) && (action === '*' || action === a)
  })
}

const segment = fc.constantFrom('a', 'b', '*')
const pattern = fc.tuple(segment, segment).map(([resource, action]) => `${resource}:${action}`)

describe('a permission', () => {
  test.each(['documents:read', '*:read', 'billing:*', '*:*', 'a.b-c_d:9', '-:.'])('R1: %s is one', (text) => {
    expect(isPermission(text)).toBe(true)
  })

  test.each([
    '',
    ':',
    '*',
    'documents',
    'documents:',
    ':read',
    'documents:read:own',
    'Documents:read',
    'documents:re*',
    '**:read',
    'docu ments:read',
    ' documents:read',
    'documents:read\n',
    'documents:lé',
  ])('R1: %j is none', (text) => {
    expect(isPermission(text)).toBe(false)
  })
})

describe('covering', () => {
  test('R1: a pattern covers another exactly when it stands for all that the other stands for', () => {
    fc.assert(
      fc.property(pattern, pattern, (wide, narrow) => {
        expect(covers(wide, narrow)).toBe(denoted(narrow).every((one) => denoted(wide).includes(one)))
      }),
    )
  })

  test('R1: asking for billing:* needs a grant that covers all of billing', () => {
    expect(covers('billing:read', 'billing:*')).toBe(false)
    expect(covers('*:read', 'billing:*')).toBe(false)
    expect(covers('billing:*', 'billing:*')).toBe(true)
    expect(covers('*:*', 'billing:*')).toBe(true)
  })

  test('R1: segments are compared whole, a common beginning is nothing', () => {
    expect(covers('bill:*', 'billing:read')).toBe(false)
    expect(covers('billing:*', 'bill:read')).toBe(false)
    expect(covers('billing:rea', 'billing:read')).toBe(false)
    expect(covers('ab:c', 'a:bc')).toBe(false)
  })

  test('R1: a text without a colon covers nothing and is covered by nothing', () => {
    expect(covers('*', 'billing:read')).toBe(false)
    expect(covers('*:*', 'billing')).toBe(false)
    expect(coveringPatterns('billing')).toEqual([])
  })

  test('R1: the covering patterns of a permission are all those that cover it', () => {
    fc.assert(
      fc.property(pattern, pattern, (wide, narrow) => {
        expect(coveringPatterns(narrow).includes(wide)).toBe(covers(wide, narrow))
      }),
    )
  })
})

describe('the intersection', () => {
  test('R2: it stands for exactly what both stand for', () => {
    fc.assert(
      fc.property(pattern, pattern, (a, b) => {
        const common = denoted(a).filter((one) => denoted(b).includes(one))
        const result = intersectPatterns(a, b)
        expect(result === undefined ? [] : denoted(result)).toEqual(common)
        expect(intersectPatterns(b, a)).toBe(result)
      }),
    )
  })

  test('R2: billing:* and *:read meet in billing:read', () => {
    expect(intersectPatterns('billing:*', '*:read')).toBe('billing:read')
  })

  test('R2: what is no permission meets nothing', () => {
    expect(intersectPatterns('*:*', 'openid')).toBeUndefined()
    expect(intersectPatterns('*', '*:*')).toBeUndefined()
  })
})
