import { expect, test } from 'vitest'
import { lowestId, newId, randomBase62, seededRandom, systemRandom } from './random.ts'

test('an id is a prefix and a UUIDv7 whose first 48 bits are its time', () => {
  const nowMs = Date.UTC(2026, 10, 24)
  const id = newId('key', nowMs, systemRandom())
  expect(id).toMatch(/^key_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/)
  expect(Number.parseInt(id.slice(4, 16), 16)).toBe(nowMs)
})

test('ids of one prefix sort by time, and the lowest id of a time stands between', () => {
  const random = seededRandom('ids')
  const [earlier, later] = [newId('key', 1_000, random), newId('key', 1_001, random)]
  expect(earlier < later).toBe(true)
  expect(earlier < lowestId('key', 1_001)).toBe(true)
  expect(lowestId('key', 1_001) < later).toBe(true)
})

test('a seed gives the same bytes again, and another seed others', () => {
  expect(seededRandom('a').bytes(70)).toEqual(seededRandom('a').bytes(70))
  expect(seededRandom('a').bytes(70)).not.toEqual(seededRandom('b').bytes(70))
})

test('each base62 character is as likely as any other', () => {
  const counts = new Map<string, number>()
  for (const character of randomBase62(62_000, seededRandom('bias'))) {
    counts.set(character, (counts.get(character) ?? 0) + 1)
  }
  expect(counts.size).toBe(62)
  // Chi-squared with 61 degrees of freedom: 120 is exceeded once in 100,000 seeds; modulo 256 would give thousands.
  const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0)
  expect(chiSquared).toBeLessThan(120)
})

test('bytes that would favour some characters are thrown away', () => {
  const bytes = [255, 248, 247, 0]
  const random = { bytes: (length: number) => Uint8Array.from(bytes.splice(0, length)) }
  expect(randomBase62(2, random)).toBe('z0')
})
