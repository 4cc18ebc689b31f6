import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test.each([130_000, 200_000, 262_145])('V7: each of %i rules weighs less than 100 bytes', (count) => {
  const program = join(import.meta.dirname, 'weigh-rules.ts')
  const { stdout } = spawnSync(process.execPath, ['--expose-gc', program, String(count)], {
    encoding: 'utf8',
  })
  const { rules, bytes } = JSON.parse(stdout)
  expect(rules).toBe(count)
  expect(bytes).toBeLessThan(100)
  expect(bytes).toBeGreaterThan(37)
})
