import { createSecretKey } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { testAuditKeys } from '../../test/audit-keys.ts'
import { commands } from '../../test/commands.ts'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { AuditChain } from '../audit/audit-chain.ts'
import { type ManualClock, manualClock } from '../clock.ts'
import { Journal } from '../journal/journal.ts'
import { journalFolder } from '../journal/segment.ts'
import { newId, seededRandom } from '../random.ts'
import { migrate } from '../storage/migrate.ts'
import { type OpenDatabase, openForReading, openForWriting } from '../storage/open-database.ts'
import { openInstallation } from '../storage/open-installation.ts'
import { sqliteDialect } from '../storage/sqlite-dialect.ts'
import type { Outcome, Problem, QueuedCommand } from './messages.ts'
import { type BatchMachine, runBatch } from './run-batch.ts'

const START_MS = Date.UTC(2026, 10, 24)
const DAY_MS = 86_400_000

interface TestMachine extends BatchMachine {
  readonly database: OpenDatabase
  readonly clock: ManualClock
  readonly file: string
  readonly problems: Problem[]
  command(name: keyof typeof commands, args: unknown): QueuedCommand
  run(...batch: QueuedCommand[]): Promise<readonly Outcome[]>
  /** What another connection sees: the committed rows. */
  committed(sql: string): unknown[]
}

/** A machine on a real file with the projects `p` and `q`. */
async function startMachine(open: (file: string) => OpenDatabase = openForWriting): Promise<TestMachine> {
  const file = join(temporaryFolder(), 'claviger.db')
  const database = open(file)
  const auditChain = new AuditChain(testAuditKeys())
  onTestFinished(() => database.sqlite.close())
  database.sqlite.exec('BEGIN IMMEDIATE')
  await migrate(database.db, START_MS)
  await openInstallation(database.db, {
    nowMs: START_MS,
    masterKeyFingerprint: 'fingerprint',
    auditChain,
    clockBehind: 'refuse',
    commandId: 'cmd_start',
    names: { installationId: 'installation', history: 'history' },
  })
  database.sqlite.exec('COMMIT')
  const journal = Journal.begin(
    { folder: journalFolder(file), key: createSecretKey(Buffer.alloc(32, 1)) },
    { installationId: 'installation', history: 'history', journaled: 0, continues: null },
    START_MS,
  )
  onTestFinished(() => journal.close())
  const clock = manualClock(START_MS)
  const random = seededRandom('run-batch')
  const problems: Problem[] = []
  const machine: TestMachine = {
    database,
    registry: commands,
    clock,
    auditChain,
    journal,
    logProblem: (problem) => problems.push(problem),
    file,
    problems,
    command: (name, args) => ({
      id: newId('cmd', clock.nowMs(), random),
      name,
      args,
      actor: { kind: 'embedder' },
    }),
    run: (...batch) => runBatch(machine, batch),
    committed: (sql) => {
      const reader = openForReading(file)
      try {
        return reader.sqlite
          .prepare(sql)
          .all()
          .map((row) => Object.values(row).join(' '))
      } finally {
        reader.sqlite.close()
      }
    },
  }
  await machine.run(machine.command('add-project', { id: 'p' }), machine.command('add-project', { id: 'q' }))
  return machine
}

/** A connection whose next statements fail as the test says: before SQLite saw them, or after it did them. */
class FaultyDatabase extends DatabaseSync {
  readonly faults: { sql: string; when: 'before' | 'after' }[] = []
  readonly executed: string[] = []

  override exec(sql: string): void {
    const fault = this.faults[0]?.sql === sql ? this.faults.shift() : undefined
    if (fault?.when !== 'before') {
      super.exec(sql)
      this.executed.push(sql)
    }
    if (fault !== undefined) throw Object.assign(new Error('disk I/O error'), { errcode: 10 })
  }
}

async function startFaultyMachine(): Promise<TestMachine & { readonly faulty: FaultyDatabase }> {
  let faulty: FaultyDatabase | undefined
  const machine = await startMachine((file) => {
    openForWriting(file).sqlite.close()
    faulty = new FaultyDatabase(file)
    return {
      sqlite: faulty,
      db: new Kysely({ dialect: sqliteDialect(faulty, { outsideTransaction: 'refuse' }) }),
    }
  })
  if (faulty === undefined) throw new TypeError('the machine opened no database')
  faulty.executed.length = 0
  return Object.assign(machine, { faulty })
}

/** Lets the file grow by so many pages and no more: a real full disk. */
function limitGrowth({ database: { sqlite } }: TestMachine, pages: number): void {
  const size = Number(sqlite.prepare('PRAGMA page_count').get()?.page_count)
  sqlite.exec(`PRAGMA max_page_count = ${size + pages}`)
}

function verdicts(outcomes: readonly Outcome[]): string[] {
  return outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code))
}

test('a batch is one transaction, and committed before it is answered (C2, C4)', async () => {
  const machine = await startFaultyMachine()
  const outcomes = await machine.run(
    machine.command('add-role', { projectId: 'p', name: 'a' }),
    machine.command('add-role', { projectId: 'p', name: 'b' }),
  )
  expect(verdicts(outcomes)).toEqual(['ok', 'ok'])
  expect(machine.faulty.executed.filter((sql) => /BEGIN|COMMIT/.test(sql))).toEqual([
    'BEGIN IMMEDIATE',
    'COMMIT',
  ])
  expect(machine.committed('SELECT name FROM roles')).toEqual(['a', 'b'])
})

test('a command that fails undoes itself alone, and its number is given to the next (C2, C3)', async () => {
  const machine = await startMachine()
  const outcomes = await machine.run(
    machine.command('add-role', { projectId: 'p', name: 'a' }),
    machine.command('add-role-then-fail', { projectId: 'p', name: 'b' }),
    machine.command('break-a-constraint', { projectId: 'p' }),
    machine.command('add-role', { projectId: 'p', name: 'c' }),
  )
  expect(verdicts(outcomes)).toEqual(['ok', 'already_exists', 'internal', 'ok'])
  expect(machine.committed('SELECT name FROM roles ORDER BY name')).toEqual(['a', 'c'])
  expect(machine.committed('SELECT target FROM audit')).toEqual(['a', 'c'])
  expect(machine.committed("SELECT number FROM changes WHERE project_id = 'p'")).toEqual(['1', '2'])
  expect(machine.committed("SELECT head FROM projects WHERE id = 'p'")).toEqual(['2'])
})

test('a batch in which every command fails commits nothing', async () => {
  const machine = await startFaultyMachine()
  await machine.run(machine.command('add-role-then-fail', { projectId: 'p', name: 'a' }))
  expect(machine.faulty.executed).not.toContain('COMMIT')
})

test('an unexpected error is answered without its cause, which goes to the log', async () => {
  const machine = await startMachine()
  const [outcome] = await machine.run(machine.command('break-a-constraint', { projectId: 'p' }))
  expect(JSON.stringify(outcome)).not.toContain('UNIQUE')
  expect(machine.problems).toMatchObject([{ command: 'break-a-constraint' }])
  expect(machine.problems[0]?.cause).toContain('UNIQUE constraint failed')
})

test('a command that nobody registered is refused, one that every object has too', async () => {
  const machine = await startMachine()
  const outcomes = await machine.run(
    { ...machine.command('tell-nothing', {}), name: 'no-such-command' },
    { ...machine.command('tell-nothing', {}), name: 'toString' },
  )
  expect(verdicts(outcomes)).toEqual(['internal', 'internal'])
})

test('a command has one place a project, and one change in each that it touched (C3)', async () => {
  const machine = await startMachine()
  const [both, sideBySide] = await machine.run(
    machine.command('add-role-in-two-projects', { projectIds: ['p', 'q'], name: 'a' }),
    machine.command('add-role-side-by-side', { projectId: 'p', name: 'b' }),
  )
  expect(both).toMatchObject({
    changes: [
      { project_id: 'p', number: 1 },
      { project_id: 'q', number: 1 },
    ],
  })
  expect(sideBySide).toMatchObject({ changes: [{ project_id: 'p', number: 2 }] })
})

test('a command that tells nothing makes no change', async () => {
  const machine = await startMachine()
  const [outcome] = await machine.run(machine.command('tell-nothing', {}))
  expect(outcome).toMatchObject({ ok: true, changes: [] })
  expect(machine.committed('SELECT head FROM projects')).toEqual(['0', '0'])
})

test('a disk that fills up in the middle of a batch costs only the command that did not fit (C4)', async () => {
  const machine = await startMachine()
  limitGrowth(machine, 20)
  const outcomes = await machine.run(
    machine.command('add-role', { projectId: 'p', name: 'a' }),
    machine.command('add-role', { projectId: 'p', name: 'large', ballast: 500_000 }),
    machine.command('add-role', { projectId: 'p', name: 'b' }),
  )
  expect(verdicts(outcomes)).toEqual(['ok', 'storage_full', 'ok'])
  expect(machine.committed('SELECT name FROM roles ORDER BY name')).toEqual(['a', 'b'])
  expect(machine.committed("SELECT number FROM changes WHERE project_id = 'p'")).toEqual(['1', '2'])
})

test('a disk that has space again takes commands again', async () => {
  const machine = await startMachine()
  limitGrowth(machine, 0)
  const large = { projectId: 'p', name: 'large', ballast: 50_000 }
  expect(verdicts(await machine.run(machine.command('add-role', large)))).toEqual(['storage_full'])
  limitGrowth(machine, 1_000)
  expect(verdicts(await machine.run(machine.command('add-role', large)))).toEqual(['ok'])
})

test('nothing of a command that goes on after its transaction was lost is stored', async () => {
  const machine = await startMachine()
  limitGrowth(machine, 5)
  const careless = { projectId: 'p', name: 'careless', ballast: 500_000 }
  await machine.run(machine.command('add-role-after-a-swallowed-error', careless))
  expect(machine.committed('SELECT name FROM roles')).toEqual([])
})

test('a commit that was done but reported as failed is found again, and runs nothing twice (C5)', async () => {
  const machine = await startFaultyMachine()
  machine.faulty.faults.push({ sql: 'COMMIT', when: 'after' })
  const outcomes = await machine.run(
    machine.command('add-role', { projectId: 'p', name: 'a' }),
    machine.command('add-role', { projectId: 'p', name: 'b' }),
  )
  expect(outcomes).toMatchObject([
    { ok: true, result: JSON.stringify({ number: 1, nowMs: START_MS }), changes: [{ number: 1 }] },
    { ok: true, result: JSON.stringify({ number: 2, nowMs: START_MS }), changes: [{ number: 2 }] },
  ])
  expect(machine.committed('SELECT name FROM roles')).toEqual(['a', 'b'])
  expect(machine.committed("SELECT head FROM projects WHERE id = 'p'")).toEqual(['2'])
  expect(machine.faulty.executed.filter((sql) => sql === 'COMMIT')).toHaveLength(1)
})

test('a commit that was not done is done by the replay (C4)', async () => {
  const machine = await startFaultyMachine()
  machine.faulty.faults.push({ sql: 'COMMIT', when: 'before' })
  const outcomes = await machine.run(machine.command('add-role', { projectId: 'p', name: 'a' }))
  expect(verdicts(outcomes)).toEqual(['ok'])
  expect(machine.committed('SELECT name FROM roles')).toEqual(['a'])
})

test('a replay whose own commit fails answers what the database says (C5)', async () => {
  const machine = await startFaultyMachine()
  machine.faulty.faults.push({ sql: 'COMMIT', when: 'before' }, { sql: 'COMMIT', when: 'after' })
  expect(verdicts(await machine.run(machine.command('add-role', { projectId: 'p', name: 'a' })))).toEqual([
    'ok',
  ])
  machine.faulty.faults.push({ sql: 'COMMIT', when: 'before' }, { sql: 'COMMIT', when: 'before' })
  expect(verdicts(await machine.run(machine.command('add-role', { projectId: 'p', name: 'b' })))).toEqual([
    'unavailable',
  ])
  expect(machine.committed('SELECT name FROM roles')).toEqual(['a'])
})

test('a transaction that cannot begin refuses its commands, and the next one runs', async () => {
  const machine = await startFaultyMachine()
  machine.faulty.faults.push({ sql: 'BEGIN IMMEDIATE', when: 'before' })
  expect(verdicts(await machine.run(machine.command('tell-nothing', {})))).toEqual(['unavailable'])
  expect(verdicts(await machine.run(machine.command('tell-nothing', {})))).toEqual(['ok'])
})

test('the time of a command is never behind that of a commit before it, whatever the clock does', async () => {
  const machine = await startMachine()
  machine.clock.advance(5_000)
  await machine.run(machine.command('tell-nothing', {}))
  machine.clock.set(START_MS - DAY_MS)
  const [outcome] = await machine.run(machine.command('tell-nothing', {}))
  expect(outcome).toMatchObject({ result: expect.stringContaining(`"nowMs":${START_MS + 5_000}`) })
  expect(machine.committed('SELECT last_commit_at_ms FROM installation')).toEqual([String(START_MS + 5_000)])
})

test('results are forgotten after a day, and not before', async () => {
  const machine = await startMachine()
  machine.clock.advance(DAY_MS)
  await machine.run(machine.command('tell-nothing', {}))
  expect(machine.committed('SELECT count(*) FROM commands')).toEqual(['3'])
  machine.clock.advance(1)
  await machine.run(machine.command('tell-nothing', {}))
  expect(machine.committed('SELECT count(*) FROM commands')).toEqual(['2'])
})

test('a command that makes a change and leaves no audit entry is undone (C1)', async () => {
  const machine = await startMachine()
  const outcomes = await machine.run(machine.command('tell-without-an-entry', { projectId: 'p', name: 'a' }))
  expect(outcomes).toMatchObject([{ ok: false, code: 'internal' }])
  expect(machine.problems[0]?.cause).toContain('left no audit entry')
  expect(machine.committed('SELECT name FROM roles')).toEqual([])
  expect(machine.committed('SELECT head FROM projects')).toEqual(['0', '0'])
})
