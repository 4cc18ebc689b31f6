import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatInstant } from './format-instant.ts'

test('an instant is written as the platform writes it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
      expect(formatInstant(ms)).toBe(new Date(ms).toISOString())
    }),
  )
})
