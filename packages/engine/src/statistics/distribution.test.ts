import { expect, test } from 'vitest'
import { Distribution } from './distribution.ts'

test('a value counts under every bound that it does not exceed', () => {
  const distribution = new Distribution([1, 10])
  for (const value of [0.5, 1, 2, 10, 11, 1_000]) distribution.add(value)
  expect(distribution.read()).toEqual({
    bounds: [1, 10, Number.POSITIVE_INFINITY],
    cumulative: [2, 4, 6],
    sum: 1_024.5,
  })
})

test('what is no number is counted once and ends', () => {
  const distribution = new Distribution([1])
  distribution.add(Number.POSITIVE_INFINITY)
  distribution.add(Number.NaN)
  expect(distribution.read().cumulative.at(-1)).toBe(2)
})
