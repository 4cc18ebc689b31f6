import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { coversAll, effectivePermissions } from './effective-permissions.ts'
import { covers } from './permission.ts'

const NAMES = ['a', 'b', 'c', 'other']
const UNIVERSE = NAMES.flatMap((resource) => NAMES.map((action) => `${resource}:${action}`))

/** The concrete permissions of a small universe that patterns stand for; `other` is in no pattern. */
function denoted(patterns: readonly string[]): string[] {
  return UNIVERSE.filter((concrete) => patterns.some((pattern) => covers(pattern, concrete)))
}

const segment = fc.constantFrom('a', 'b', 'c', '*')
const pattern = fc.tuple(segment, segment).map(([resource, action]) => `${resource}:${action}`)
const patterns = fc.array(pattern, { maxLength: 6 })
const rights = fc.record({
  roles: fc.array(patterns, { maxLength: 3 }),
  direct: patterns,
  scopes: fc.option(patterns),
  bound: fc.option(patterns),
})

describe('effective permissions', () => {
  test('R2, R6: they stand for (roles ∪ direct) ∩ scopes ∩ bound, no more and no less', () => {
    fc.assert(
      fc.property(rights, (input) => {
        const granted = denoted([...input.roles.flat(), ...input.direct])
        const allowed = (list: readonly string[] | null) => (list === null ? UNIVERSE : denoted(list))
        const expected = granted.filter(
          (one) => allowed(input.scopes).includes(one) && allowed(input.bound).includes(one),
        )
        expect(denoted(effectivePermissions(input))).toEqual(expected)
      }),
    )
  })

  test('R2: they are sorted, and none is covered by another', () => {
    fc.assert(
      fc.property(rights, (input) => {
        const result = effectivePermissions(input)
        expect(result).toEqual([...result].sort())
        for (const one of result) {
          expect(result.filter((other) => covers(other, one))).toEqual([one])
        }
      }),
    )
  })

  test('R2: billing:* narrowed to *:read is billing:read', () => {
    expect(rightsOf({ direct: ['billing:*'], scopes: ['*:read'] })).toEqual(['billing:read'])
    expect(rightsOf({ direct: ['*:read'], scopes: ['billing:*'] })).toEqual(['billing:read'])
  })

  test('R2: absent scopes do not narrow, an empty list permits nothing', () => {
    expect(rightsOf({ direct: ['billing:*'], scopes: null })).toEqual(['billing:*'])
    expect(rightsOf({ direct: ['billing:*'], scopes: [] })).toEqual([])
  })

  test('R2: scopes never add what was not granted', () => {
    expect(rightsOf({ direct: ['billing:read'], scopes: ['*:*'] })).toEqual(['billing:read'])
  })

  test('R3: a list of OpenID Connect scopes alone permits nothing', () => {
    expect(rightsOf({ direct: ['billing:*'], scopes: ['openid', 'profile'] })).toEqual([])
  })

  test('R6: an empty bound permits nothing, an absent one does not bound', () => {
    expect(rightsOf({ direct: ['billing:*'], bound: [] })).toEqual([])
    expect(rightsOf({ direct: ['billing:*'], bound: null })).toEqual(['billing:*'])
  })

  test('R2: a damaged entry of any list gives nothing', () => {
    const damaged = ['*', 'a:b:c', '', '*:', 'A:*', ' *:*']
    expect(rightsOf({ roles: [damaged], direct: damaged })).toEqual([])
    expect(rightsOf({ direct: ['a:b'], scopes: damaged })).toEqual([])
    expect(rightsOf({ direct: ['a:b'], bound: damaged })).toEqual([])
  })
})

describe('grants', () => {
  test('M3: grants cover permissions when one grant alone covers each', () => {
    fc.assert(
      fc.property(patterns, patterns, (grants, permissions) => {
        const expected = permissions.every((permission) => grants.some((grant) => covers(grant, permission)))
        expect(coversAll(grants, permissions)).toBe(expected)
      }),
    )
  })

  test('M1: no grants cover nothing but nothing', () => {
    expect(coversAll([], ['a:b'])).toBe(false)
    expect(coversAll([], [])).toBe(true)
  })

  test('M3: what is no permission is covered by no grant', () => {
    expect(coversAll(['*:*', 'a'], ['a'])).toBe(false)
  })
})

function rightsOf(input: Partial<Parameters<typeof effectivePermissions>[0]>): readonly string[] {
  return effectivePermissions({ roles: [], direct: [], scopes: null, bound: null, ...input })
}
