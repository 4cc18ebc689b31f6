import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const MAIN = join(import.meta.dirname, '../bench/src/main.ts')

test('a row of the benchmarks runs, and prints its table as Markdown, whatever its figures', async () => {
  const { stdout } = await run(process.execPath, ['--expose-gc', MAIN, 'key-warm'])
  expect(stdout).toMatch(/^# Benchmarks\n\nNode v?24\./)
  expect(stdout).toMatch(/^## .+$/m)
  expect(stdout).toMatch(/^\| contender \| per second \| against .+ \|\n\| --- \| ---: \| --- \|$/m)
  const rows = stdout.match(
    /^\| [^|]+ \| [1-9][0-9,]* \| [0-9.]+ \([0-9.]+–[0-9.]+; [0-9.]+ to [0-9.]+\) \|$/gm,
  )
  expect(rows?.length).toBeGreaterThanOrEqual(2)
  expect(stdout).not.toContain('NaN')
  expect(stdout).toMatch(/^- .+, at least .+ times .+: \*\*(met|MISSED)\*\*/m)
})

test('a row that there is not is refused, with those that there are', async () => {
  const failed = await run(process.execPath, ['--expose-gc', MAIN, 'nonsense']).catch((error) => error)
  expect(failed.stderr).toContain('There is no row nonsense. Rows: key-warm, ')
})
