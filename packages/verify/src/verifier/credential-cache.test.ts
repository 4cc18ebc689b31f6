import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CredentialCache as PortableCache } from '../portable/credential-cache.ts'
import { type Cached, CredentialCache } from './credential-cache.ts'

interface Numbered extends Cached {
  readonly number: number
}

const entry = (foundBy: string, number = 0): Numbered => ({ foundBy, number, recent: false })

/** Many of them end alike, so that they meet in one slot. */
const texts = fc
  .tuple(fc.nat(40), fc.constantFrom('', 'ends-just-like-this', 'ends-just-like-that'))
  .map(([number, end]) => `${number}${end}`)

describe.each([
  ['a cache', CredentialCache],
  ['the portable cache', PortableCache],
])('%s', (_name, Cache) => {
  test('what is in it is found by its text and by no other, however the texts meet', () => {
    const step = fc.record({ act: fc.constantFrom('set', 'set', 'delete', 'clear'), text: texts })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const cache = new Cache<Numbered>(1000)
        const model = new Map<string, Numbered>()
        for (const [number, { act, text }] of steps.entries()) {
          if (act === 'clear' && number % 10 !== 0) continue
          if (act === 'set') {
            model.set(text, entry(text, number))
            cache.set(model.get(text) as Numbered)
          } else if (act === 'delete') {
            model.delete(text)
            cache.delete(text)
          } else {
            model.clear()
            cache.clear()
          }
          expect(cache.size).toBe(model.size)
        }
        for (const { text } of steps) expect(cache.get(text)).toBe(model.get(text))
      }),
    )
  })

  test('it evicts the oldest that nobody asked for since its last turn', () => {
    const step = fc.record({ asks: fc.boolean(), text: texts })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 200 }), (capacity, steps) => {
        const cache = new Cache<Numbered>(capacity)
        let queue: Numbered[] = []
        for (const { asks, text } of steps) {
          const known = queue.find(({ foundBy }) => foundBy === text)
          if (asks) {
            expect(cache.get(text)).toBe(known)
          } else if (known === undefined) {
            if (queue.length === capacity) queue = withoutOldest(queue)
            const added = entry(text)
            queue.push(added)
            cache.set(added)
          }
          expect(cache.size).toBe(queue.length)
        }
      }),
    )
  })

  test('it holds no more than it may, also where all were asked for, and finds each of many', () => {
    const cache = new Cache<Cached>(5_000)
    const name = (number: number): string => `${number}`.padStart(43, 'digest')
    for (let number = 0; number < 20_000; number++) {
      cache.set(entry(name(number)))
      expect(cache.get(name(number))).toBeDefined()
    }
    expect(cache.size).toBe(5_000)
    const held = Array.from({ length: 20_000 }, (_, number) => cache.get(name(number))).filter(Boolean)
    expect(held).toHaveLength(5_000)
  })

  test('one of no capacity holds the last entry', () => {
    const cache = new Cache<Cached>(0)
    for (const text of ['one', 'two']) cache.set(entry(text))
    expect([cache.get('one'), cache.size]).toEqual([undefined, 1])
  })
})

/** Asking sets `recent` on the entries themselves. */
function withoutOldest(queue: readonly Numbered[]): Numbered[] {
  const spared: Numbered[] = []
  for (const [index, oldest] of queue.entries()) {
    if (!oldest.recent) return [...queue.slice(index + 1), ...spared]
    oldest.recent = false
    spared.push(oldest)
  }
  return spared.slice(1)
}
