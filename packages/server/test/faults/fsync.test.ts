import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type SourceChange, startServer } from './child-server.ts'
import { readTrace, type TraceReport } from './trace.ts'

const CREATES = 20

const hasStrace = spawnSync('strace', ['-V']).status === 0
if (!hasStrace) console.log('strace is missing: whether answers wait for the disk is not tested.')
// Where CI is set every tool is installed: its absence must not pass as a skipped test.
const traced = test.skipIf(!hasStrace && process.env.CI === undefined)

/** Usage is written once a second: between a commit and its answer it would look like the command's own write. */
const NO_USAGE: SourceChange = {
  file: 'engine/src/usage/usage-recorder.ts',
  from: 'INTERVAL_MS = 1_000',
  to: 'INTERVAL_MS = 3_600_000',
}

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-fsync-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function traceCreates(changes: readonly SourceChange[] = []): Promise<TraceReport> {
  const file = join(folder, 'trace')
  const calls = 'trace=fsync,fdatasync,pwrite64,write,writev,sendto,sendmsg'
  const server = await startServer(join(folder, 'data'), {
    changes: [NO_USAGE, ...changes],
    under: ['strace', '-f', '-yy', '-s', '32', '-e', calls, '-e', 'signal=none', '-o', file],
  })
  for (let count = 0; count < CREATES; count++) {
    const { status } = await server.call('POST', '/v1/keys', { name: `synced ${count}` })
    expect(status).toBe(201)
  }
  await server.stop()
  return readTrace(readFileSync(file, 'utf8'))
}

traced(
  'a 201 leaves the socket only after a sync of the log that follows its last write (rule C4; needs strace)',
  async () => {
    const { syncs, ...report } = await traceCreates()
    expect(report).toEqual({ answers: CREATES, early: [], unwritten: [] })
    expect(syncs).toBeGreaterThanOrEqual(CREATES)
  },
)

const EVERY_ANSWER = Array.from({ length: CREATES }, (_, index) => index)

traced.each(['OFF', 'NORMAL'])(
  'a build whose database runs with synchronous = %s is found out at every answer (rule C4; needs strace)',
  async (mode) => {
    const report = await traceCreates([
      {
        file: 'engine/src/storage/open-database.ts',
        from: 'PRAGMA synchronous = FULL;',
        to: `PRAGMA synchronous = ${mode};`,
      },
    ])
    expect(report).toMatchObject({ answers: CREATES, early: EVERY_ANSWER, unwritten: [] })
  },
)
