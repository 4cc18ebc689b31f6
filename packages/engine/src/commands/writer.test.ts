import { spawnSync } from 'node:child_process'
import { createSecretKey } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import type { Change } from '@claviger/verify'
import { expect, onTestFinished, test } from 'vitest'
import { testAuditKeys } from '../../test/audit-keys.ts'
import type { commands } from '../../test/commands.ts'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { countCommits } from '../../test/wal.ts'
import { type ManualClock, manualClock } from '../clock.ts'
import { seededRandom } from '../random.ts'
import { openForReading } from '../storage/open-database.ts'
import type { Actor } from './command.ts'
import type { Problem } from './messages.ts'
import { Writer, type WriterOptions } from './writer.ts'

type TestWriter = Writer<typeof commands>

const START_MS = Date.UTC(2026, 10, 24)
const embedder: Actor = { kind: 'embedder' }
const registryUrl = new URL('../../test/commands.ts', import.meta.url)

interface TestOptions extends WriterOptions {
  readonly clock: ManualClock
  readonly problems: Problem[]
}

function testOptions(change: Partial<WriterOptions> = {}): TestOptions {
  const problems: Problem[] = []
  return {
    databaseFile: join(temporaryFolder(), 'claviger.db'),
    random: seededRandom('writer'),
    masterKeyFingerprint: 'fingerprint',
    auditKeys: testAuditKeys(),
    journalKey: createSecretKey(Buffer.alloc(32, 1)),
    logProblem: (problem) => problems.push(problem),
    registryUrl,
    ...change,
    clock: manualClock(START_MS),
    problems,
  }
}

async function start(options: WriterOptions = testOptions()): Promise<TestWriter> {
  const writer = await Writer.start<typeof commands>(options)
  onTestFinished(() => writer.close())
  return writer
}

/** A writer with the project `p`. */
async function startWithProject(options: WriterOptions = testOptions()): Promise<TestWriter> {
  const writer = await start(options)
  await writer.run('add-project', { id: 'p' }, embedder)
  return writer
}

function read(file: string, sql: string): unknown[] {
  const reader = openForReading(file)
  try {
    return reader.sqlite
      .prepare(sql)
      .all()
      .map((row) => Object.values(row).join(' '))
  } finally {
    reader.sqlite.close()
  }
}

test('arguments and result of a command are checked by its name', async () => {
  const writer = await startWithProject()
  const { number } = await writer.run('add-role', { projectId: 'p', name: 'a' }, embedder)
  expect(number satisfies number).toBe(1)
  // @ts-expect-error no such argument
  await expect(writer.run('add-role', { project: 'p' }, embedder)).rejects.toThrow()
  // @ts-expect-error no such command
  await expect(writer.run('no-such-command', {}, embedder)).rejects.toThrow()
})

test('a call resolves once its change is committed and told to every listener, in commit order (F1)', async () => {
  const options = testOptions()
  const writer = await startWithProject(options)
  const told: string[] = []
  const stop = writer.onChanges((projectId: string, { position }: Change) => {
    expect(
      read(options.databaseFile, `SELECT 1 FROM changes WHERE number = ${position.number}`),
    ).toHaveLength(1)
    told.push(`${projectId} ${position.epoch}:${position.number}`)
  })
  const calls = ['a', 'b', 'c'].map(async (name, at) => {
    await writer.run('add-role', { projectId: 'p', name }, embedder)
    expect(told.length).toBeGreaterThan(at)
  })
  await Promise.all(calls)
  stop()
  await writer.run('add-role', { projectId: 'p', name: 'd' }, embedder)
  expect(told).toEqual(['p 1-abcdefgh:1', 'p 1-abcdefgh:2', 'p 1-abcdefgh:3'])
})

test('500 calls side by side share a few commits, and take dense positions (C2, C3)', async () => {
  const options = testOptions()
  const writer = await startWithProject(options)
  const before = countCommits(options.databaseFile)
  const numbers = await Promise.all(
    Array.from({ length: 500 }, async (_, at) => {
      const { number } = await writer.run('add-role', { projectId: 'p', name: `role-${at}` }, embedder)
      return number
    }),
  )
  expect(numbers).toEqual(Array.from({ length: 500 }, (_, at) => at + 1))
  const commits = countCommits(options.databaseFile) - before
  expect(commits).toBeGreaterThan(0)
  expect(commits).toBeLessThanOrEqual(20)
})

test('calls that one commit settles are answered one a turn of the event loop, in commit order', async () => {
  const writer = await startWithProject()
  let turn = 0
  let counting = true
  const count = (): void => {
    turn++
    if (counting) setImmediate(count)
  }
  setImmediate(count)
  const answered: { number: number; turn: number }[] = []
  await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const { number } = await writer.run('add-role', { projectId: 'p', name: `r${index}` }, embedder)
      answered.push({ number, turn })
    }),
  )
  counting = false
  expect(answered.map(({ number }) => number)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
  expect(new Set(answered.map((one) => one.turn)).size).toBe(100)
})

test('a command that fails rejects its own call with its code, and no other', async () => {
  const writer = await startWithProject()
  const [kept, failed] = await Promise.allSettled([
    writer.run('add-role', { projectId: 'p', name: 'a' }, embedder),
    writer.run('add-role-then-fail', { projectId: 'p', name: 'b' }, embedder),
  ])
  expect(kept.status).toBe('fulfilled')
  expect(failed).toMatchObject({ reason: { name: 'CodedError', code: 'already_exists', status: 409 } })
})

test('the thread reads the clock of the caller, when the command begins to run (C1)', async () => {
  const options = testOptions()
  const writer = await start(options)
  options.clock.advance(3_600_000)
  expect(await writer.run('tell-nothing', {}, embedder)).toMatchObject({ nowMs: START_MS + 3_600_000 })
})

test('a listener that throws fails the call, not the other listeners', async () => {
  const options = testOptions()
  const writer = await startWithProject(options)
  const told: number[] = []
  writer.onChanges(() => {
    throw new TypeError('on purpose')
  })
  writer.onChanges((_, { position }) => told.push(position.number))
  await expect(writer.run('add-role', { projectId: 'p', name: 'a' }, embedder)).rejects.toMatchObject({
    code: 'internal',
  })
  expect(told).toEqual([1])
  expect(options.problems[0]?.cause).toContain('on purpose')
})

test('arguments that cannot cross to the thread are refused without repeating them', async () => {
  const writer = await startWithProject()
  const secretive = { projectId: 'p', name: 'a', toCredential: () => 'sentinel' }
  const call = writer.run('add-role', secretive, embedder)
  await expect(call).rejects.toThrow(TypeError)
  await expect(call).rejects.not.toThrow(/sentinel/)
})

test('when the thread dies, every waiting and later call is refused as unavailable', async () => {
  const options = testOptions()
  const writer = await startWithProject(options)
  const waiting = Promise.allSettled([
    writer.run('exit-the-thread', {}, embedder),
    writer.run('add-role', { projectId: 'p', name: 'a' }, embedder),
  ])
  const refused = { status: 'rejected', reason: { code: 'unavailable' } }
  expect(await waiting).toMatchObject([refused, refused])
  expect(writer.alive).toBe(false)
  await expect(writer.run('tell-nothing', {}, embedder)).rejects.toMatchObject({ code: 'unavailable' })
  expect(read(options.databaseFile, 'SELECT name FROM roles')).toEqual([])
})

test('close finishes what is queued, and leaves everything in the database file', async () => {
  const options = testOptions()
  const writer = await startWithProject(options)
  const calls = Array.from({ length: 300 }, (_, at) =>
    writer.run('add-role', { projectId: 'p', name: `role-${at}` }, embedder),
  )
  await writer.close()
  await expect(Promise.all(calls)).resolves.toHaveLength(300)
  await expect(writer.run('tell-nothing', {}, embedder)).rejects.toMatchObject({ code: 'unavailable' })
  const alone = new DatabaseSync(`file:${options.databaseFile}?immutable=1`, { readOnly: true })
  expect(alone.prepare('SELECT count(*) AS n FROM roles').get()).toEqual({ n: 300 })
  alone.close()
})

test('what was committed is there after the next start', async () => {
  const options = testOptions()
  const first = await startWithProject(options)
  await first.run('add-role', { projectId: 'p', name: 'a' }, embedder)
  await first.close()
  const second = await start(options)
  expect(await second.run('add-role', { projectId: 'p', name: 'b' }, embedder)).toMatchObject({ number: 2 })
})

test('another master key refuses the start, and changes nothing', async () => {
  const options = testOptions()
  await (await startWithProject(options)).close()
  const wrong = { ...options, masterKeyFingerprint: 'another' }
  await expect(start(wrong)).rejects.toThrow(/The master key is not the one/)
  await start(options)
})

test('a database of a newer version refuses the start with its own text', async () => {
  const options = testOptions()
  await (await start(options)).close()
  const database = new DatabaseSync(options.databaseFile)
  database.exec("INSERT INTO migrations VALUES (99, 'from-the-future', 0)")
  database.close()
  await expect(start(options)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('99'),
  })
})

test('a clock more than a minute behind the last commit refuses the start, unless it is accepted, which is audited (B2)', async () => {
  const options = testOptions()
  await (await startWithProject(options)).close()
  options.clock.set(START_MS - 60_000)
  await (await start(options)).close()
  options.clock.set(START_MS - 61_000)
  await expect(start(options)).rejects.toThrow('The clock is 61 s behind the last commit.')
  const writer = await start({ ...options, acceptClock: true })
  expect(read(options.databaseFile, 'SELECT project_id, actor, action FROM audit')).toEqual([
    'claviger installation installation.clock-accepted',
  ])
  expect(await writer.run('tell-nothing', {}, embedder)).toMatchObject({ nowMs: START_MS - 61_000 })
})

test('a place where no database can stand refuses the start, and the error says where', async () => {
  const notAFolder = fileURLToPath(import.meta.url)
  const options = testOptions({ databaseFile: join(notAFolder, 'claviger.db') })
  await expect(start(options)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(notAFolder),
  })
})

test('under plain Node it runs, and an open writer does not hold the process', () => {
  const program = `
    const { testAuditKeys } = await import(${JSON.stringify(new URL('../../test/audit-keys.ts', import.meta.url).href)})
    const { Writer } = await import(${JSON.stringify(new URL('./writer.ts', import.meta.url).href)})
    const { systemClock } = await import(${JSON.stringify(new URL('../clock.ts', import.meta.url).href)})
    const { systemRandom } = await import(${JSON.stringify(new URL('../random.ts', import.meta.url).href)})
    const writer = await Writer.start({
      databaseFile: ${JSON.stringify(join(temporaryFolder(), 'claviger.db'))},
      clock: systemClock(), random: systemRandom(), masterKeyFingerprint: 'f', auditKeys: testAuditKeys(),
      journalKey: (await import('node:crypto')).createSecretKey(Buffer.alloc(32, 1)), logProblem: console.error,
      registryUrl: new URL(${JSON.stringify(registryUrl.href)}),
    })
    await writer.run('add-project', { id: 'p' }, { kind: 'embedder' })
    process.stdout.write(JSON.stringify(await writer.run('add-role', { projectId: 'p', name: 'a' }, { kind: 'embedder' })))`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({ number: 1 })
})
