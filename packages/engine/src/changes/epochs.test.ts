import { parsePosition } from '@claviger/verify'
import { expect, test } from 'vitest'
import { seededRandom } from '../random.ts'
import { firstEpoch, nextEpoch } from './epochs.ts'

test('an epoch is a place in the order and a random id, and the next is one further (E1)', () => {
  const random = seededRandom('epochs')
  const first = firstEpoch(random)
  const next = nextEpoch(first, random)
  expect(first).toMatch(/^1-[0-9A-Za-z]{8}$/)
  expect(next).toMatch(/^2-[0-9A-Za-z]{8}$/)
  expect(next.slice(2)).not.toBe(first.slice(2))
  expect(parsePosition(`${next}:7`)).toEqual({ epoch: next, number: 7 })
})

test('what is no epoch has no next one', () => {
  expect(() => nextEpoch('x', seededRandom('epochs'))).toThrow(TypeError)
})
