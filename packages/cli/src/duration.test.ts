import { expect, test } from 'vitest'
import { parseDuration } from './duration.ts'

test.each([
  ['30d', 2_592_000],
  ['12h', 43_200],
  ['45m', 2_700],
  ['90s', 90],
  ['0d', 0],
])('%s is %i seconds', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds)
})

test.each(['30', 'd', '1.5d', '-1d', '30 d', '1w', '1d2h', '9999999d', ''])('"%s" is no duration', (text) => {
  expect(() => parseDuration(text)).toThrow('Write it with its unit')
})
