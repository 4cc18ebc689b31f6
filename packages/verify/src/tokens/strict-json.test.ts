import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseStrictJson } from './strict-json.ts'

/** JSON before it is written: a name can stand twice. */
type Tree = string | number | boolean | null | Tree[] | { members: [string, Tree][] }

const name = fc.constantFrom(
  'a',
  'b',
  'c',
  '',
  ':',
  '/',
  '{a:1}',
  'é',
  '\u2028',
  '\u{1f511}',
  '"',
  '\\',
  '\n',
)
const scalar = fc.oneof(name, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean())

const { object } = fc.letrec<{ tree: Tree; object: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.constant(null),
    fc.array(tie('tree'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.array(fc.tuple(name, tie('tree')), { maxLength: 4 }).map((members) => ({ members })),
}))

/** Writes a tree, with white space and needless escapes where `spell` says so. */
function write(tree: Tree, spell: () => boolean): string {
  const space = spell() ? ' \n\t' : ''
  if (typeof tree === 'string') return space + (spell() ? writeEscaped(tree) : JSON.stringify(tree)) + space
  if (Array.isArray(tree)) return `[${space}${tree.map((item) => write(item, spell)).join(',')}]${space}`
  // JSON.stringify forgets the sign of zero; JSON can write it.
  if (Object.is(tree, -0)) return `${space}-0${space}`
  if (typeof tree !== 'object' || tree === null) return space + JSON.stringify(tree) + space
  const members = tree.members.map(([name, value]) => `${write(name, spell)}:${write(value, spell)}`)
  return `{${members.join(',')}${space}}`
}

function writeEscaped(text: string): string {
  const units = text.split('').map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'))
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`
}

/** What the tree stands for, found without JSON.parse. Throws when a reader must refuse it. */
function meaning(tree: Tree): unknown {
  if (Array.isArray(tree)) return tree.map(meaning)
  if (typeof tree !== 'object' || tree === null) return tree
  const names = tree.members.map(([name]) => name)
  if (new Set(names).size !== names.length) throw new Error('a member stands twice')
  if (names.some((name) => ['"', '\\', '\n'].includes(name))) throw new Error('a name needs an escape')
  return Object.fromEntries(tree.members.map(([name, value]) => [name, meaning(value)]))
}

function meaningOrUndefined(tree: Tree): unknown {
  try {
    return meaning(tree)
  } catch {
    return undefined
  }
}

describe('strict JSON', () => {
  test('means what was written, however it is spelled, unless a member stands twice at any depth', () => {
    fc.assert(
      fc.property(object, fc.infiniteStream(fc.boolean()), (tree, choices) => {
        const text = write(tree, () => choices.next().value ?? false)
        expect(parseStrictJson(text)).toEqual(meaningOrUndefined(tree))
      }),
      { numRuns: 3000 },
    )
  })

  test('may hold any text', () => {
    const plainName = fc.string({ unit: 'grapheme' }).filter((name) => JSON.stringify(name) === `"${name}"`)
    fc.assert(
      fc.property(plainName, fc.string({ unit: 'binary' }), (name, text) => {
        fc.pre(name !== '__proto__')
        expect(parseStrictJson(JSON.stringify({ [name]: [text] }))).toEqual({ [name]: [text] })
      }),
    )
  })

  test('never throws, and never reads what JSON.parse refuses', () => {
    const unit = fc.constantFrom(...'{}[]:,"\\u00d8ae1.-e+tfn ', '\ufeff', '\ud800', '\0')
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit, maxLength: 30 }), fc.string({ unit: 'binary' })), (text) => {
        const value = parseStrictJson(text)
        if (value !== undefined) expect(JSON.parse(text)).toBeInstanceOf(Object)
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
    ['a name with a quote', '{"\\"":1}'],
    ['a name with a backslash', '{"a":{"\\\\":1}}'],
    ['a name with a control character', '{"\\u0007":1}'],
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

  /** V8 may take an escaped name for an earlier one with a backslash in it (nodejs/node issue 63785). */
  test('is not misread because of a text that was read before, here or elsewhere', () => {
    for (const poison of ['{"iss":1,"\\\\":1}', '{"iss":1,"s\\\\":1}', '{"iss":1,"sub\\\\u0000":1}']) {
      JSON.parse(poison)
      expect(parseStrictJson(poison)).toBeUndefined()
      for (const [text, name] of [
        ['{"iss":1,"\\u0073ub":2}', 'sub'],
        ['{"iss":1,"s\\u0075b":2}', 'sub'],
        ['{"iss":1,"\\/":2}', '/'],
        ['{"iss":1,"s\\/":2}', 's/'],
        ['{"iss":1,"\\u00e9":2}', 'é'],
        ['{"iss":1,"sub":2}', 'sub'],
      ] as const) {
        expect(parseStrictJson(text)).toEqual({ iss: 1, [name]: 2 })
      }
      expect(parseStrictJson('{"iss":1,"\\"":2}')).toBeUndefined()
      expect(parseStrictJson('{"iss":1,"sub":2,"\\u0073ub":3}')).toBeUndefined()
    }
  })

  test('leaves the prototypes of all other objects as they were', () => {
    parseStrictJson('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})
