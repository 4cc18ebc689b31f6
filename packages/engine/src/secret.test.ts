import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Secret } from './secret.ts'

test('a secret prints as [redacted] everywhere, and is revealed on request alone', () => {
  const secret = new Secret('sentinel')
  expect(`${secret}`).toBe('[redacted]')
  expect(JSON.stringify({ secret })).toBe('{"secret":"[redacted]"}')
  expect(inspect({ secret }, { showHidden: true, depth: 9 })).not.toContain('sentinel')
  expect(Object.getOwnPropertyNames(secret)).toEqual([])
  expect(secret.reveal()).toBe('sentinel')
})
