import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseStrictJson } from './strict-json.ts'

/** Objects as a list of members, so that a name can stand twice. */
type Tree =
  | { kind: 'scalar'; text: string }
  | { kind: 'array'; items: Tree[] }
  | { kind: 'object'; members: [string, Tree][] }

const name = fc.constantFrom('a', 'b', 'c', '', '"', '\\', ':', '{"a":1}', 'é', '\u2028', '\u{1f511}')
const scalar = fc
  .oneof(
    name,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  )
  .map((value): Tree => ({ kind: 'scalar', text: JSON.stringify(value) }))

const { object } = fc.letrec<{ tree: Tree; object: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('tree'), { maxLength: 3 }).map((items): Tree => ({ kind: 'array', items })),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(name, tie('tree')), { maxLength: 4 })
    .map((members): Tree => ({ kind: 'object', members })),
}))

/** Writes a tree; names as escapes where `spell` says so, with white space about. */
function write(tree: Tree, spell: () => boolean): string {
  const space = spell() ? ' \n\t' : ''
  if (tree.kind === 'scalar') return space + tree.text + space
  if (tree.kind === 'array') return `[${space}${tree.items.map((item) => write(item, spell)).join(',')}]`
  const members = tree.members.map(([name, value]) => {
    const escaped = [...name].flatMap((letter) => letter.split(''))
    const spelled = escaped.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
    return `${spell() ? `"${spelled}"` : JSON.stringify(name)}${space}:${write(value, spell)}`
  })
  return `{${members.join(',')}${space}}`
}

function hasDuplicate(tree: Tree): boolean {
  if (tree.kind === 'scalar') return false
  if (tree.kind === 'array') return tree.items.some(hasDuplicate)
  const names = tree.members.map(([name]) => name)
  return new Set(names).size !== names.length || tree.members.some(([, value]) => hasDuplicate(value))
}

describe('strict JSON', () => {
  test('is read as JSON.parse reads it, unless a member stands twice at any depth, however spelled', () => {
    fc.assert(
      fc.property(object, fc.infiniteStream(fc.boolean()), (tree, choices) => {
        const text = write(tree, () => choices.next().value ?? false)
        expect(parseStrictJson(text)).toEqual(hasDuplicate(tree) ? undefined : JSON.parse(text))
      }),
      { numRuns: 2000 },
    )
  })

  test('of any object that JSON.stringify wrote is read back', () => {
    const values = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }))
    fc.assert(
      fc.property(values, (value) => {
        const text = JSON.stringify(value)
        fc.pre(!text.includes('__proto__'))
        expect(parseStrictJson(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  test('never throws, and never reads what JSON.parse refuses or reads otherwise', () => {
    const unit = fc.constantFrom(...'{}[]:,"\\u00d8ae1.-e+tfn ', '\ufeff', '\ud800', '\0')
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit, maxLength: 30 }), fc.string({ unit: 'binary' })), (text) => {
        const value = parseStrictJson(text)
        if (value !== undefined) expect(value).toEqual(JSON.parse(text))
      }),
      { numRuns: 5000 },
    )
  })

  test.each([
    ['nothing', ''],
    ['an array', '[]'],
    ['a string', '"a"'],
    ['null', 'null'],
    ['two objects', '{}{}'],
    ['something after the object', '{} x'],
    ['a byte order mark', '\ufeff{}'],
    ['a comment', '{/* */}'],
    ['a trailing comma', '{"a":1,}'],
    ['single quotes', "{'a':1}"],
    ['a control character in a string', '{"a":"\n"}'],
    ['a member twice', '{"a":1,"a":1}'],
    ['a member twice, once as an escape', '{"a":1,"\\u0061":2}'],
    ['a member twice, deep inside', '{"a":[{"b":{"c":1,"c":2}}]}'],
    ['a member twice, behind a string that looks like structure', '{"x":"\\"}:","a":1,"a":2}'],
    ['half a surrogate pair as an escape', '{"a":"\\ud83d"}'],
    ['half a surrogate pair in a name', '{"\\udd11":1}'],
    ['half a surrogate pair as it stands', '{"a":"\ud83d"}'],
    ['a number beyond a double', '{"a":1e999}'],
    ['a number beyond a double, negative and deep', '{"a":[[-1e999]]}'],
    ['a member __proto__', '{"__proto__":{"admin":true}}'],
    ['a member __proto__ as an escape, deep inside', '{"a":{"\\u005f_proto__":1}}'],
  ])('is not %s', (_, text) => {
    expect(parseStrictJson(text)).toBeUndefined()
  })

  test('takes a whole surrogate pair, as an escape or as it stands', () => {
    expect(parseStrictJson('{"a":"\\ud83d\\udd11","b":"\u{1f511}"}')).toEqual({
      a: '\u{1f511}',
      b: '\u{1f511}',
    })
  })

  test('nests 32 deep and no deeper, in objects and arrays alike', () => {
    const nested = (depth: number): string => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
    expect(parseStrictJson(nested(32))).toBeDefined()
    expect(parseStrictJson(nested(33))).toBeUndefined()
    expect(parseStrictJson(`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`)).toBeUndefined()
  })

  test('counts brackets in strings for nothing', () => {
    expect(parseStrictJson(`{"a":"${'[{'.repeat(100)}"}`)).toEqual({ a: '[{'.repeat(100) })
  })

  test('leaves the prototypes of all other objects as they were', () => {
    parseStrictJson('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})
