import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SourceChange } from './child-server.ts'
import { runKillLoop } from './kill-loop.ts'
import { chooseSeed, seededRandom } from './seed.ts'

const CYCLES = Number(process.env.FAULT_CYCLES ?? 8)
const MINUTE_MS = 60_000

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-kill-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('whatever was acknowledged outlives kill -9, nothing revoked comes back, and the feed has no gap (rules C3, C4)', {
  timeout: MINUTE_MS + CYCLES * MINUTE_MS,
}, async () => {
  const random = seededRandom(chooseSeed())
  const { losses, refusals, ...figures } = await runKillLoop({ folder, cycles: CYCLES, random })
  console.log(JSON.stringify(figures))
  expect(losses).toEqual([])
  expect(refusals).toEqual([])
  expect(figures.acknowledged).toBeGreaterThan(CYCLES)
  // Or no kill hit a request in flight.
  expect(figures.unanswered).toBeGreaterThan(0)
})

/** Answers, and stores a moment later. Before the journal too: what that has is made up for at the next start. */
const ACKNOWLEDGE_FIRST: SourceChange = {
  file: 'engine/src/commands/run-batch.ts',
  from: '  await pruneCommands(machine, lastMs)',
  to: `  const answers = { type: 'answers', outcomes, tookMs: 0 }
  process.getBuiltinModule('node:worker_threads').parentPort.postMessage(answers)
  await sleep(200)
  await pruneCommands(machine, lastMs)`,
}

test('a build that acknowledges before the commit does not pass the kill -9 loop (rule C4)', {
  timeout: 5 * MINUTE_MS,
}, async () => {
  const report = await runKillLoop({
    folder,
    cycles: 25,
    random: seededRandom(chooseSeed()),
    changes: [ACKNOWLEDGE_FIRST],
    stopAtLoss: true,
  })
  console.log(`found after ${report.cycles} cycles: ${report.losses[0]}`)
  expect(report.losses).not.toEqual([])
})
