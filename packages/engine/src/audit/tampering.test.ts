import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AuditPlace, fillChain, openAuditPlace } from '../../test/audit-place.ts'
import { START_MS } from '../../test/installation.ts'
import { manualClock } from '../clock.ts'
import { createEngine } from '../create-engine.ts'
import type { AuditCheckpoint } from './checkpoint.ts'
import { openOfflineAudit } from './offline-audit.ts'

/** A stopped installation, made once: each test works on a copy. */
let original: string
let checkpoints: readonly AuditCheckpoint[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-test-'))
  original = join(folder, 'claviger.db')
  const made: AuditCheckpoint[] = []
  const engine = await createEngine({
    database: `sqlite:${original}`,
    clock: manualClock(START_MS),
    onAuditCheckpoint: (checkpoint) => made.push(checkpoint),
  })
  await fillChain(engine)
  await engine.close()
  checkpoints = made
})
afterAll(() => rmSync(folder, { recursive: true }))

let folder: string
let place: AuditPlace

beforeEach(() => {
  place = openAuditPlace(original)
})

const COLUMNS = 'at_ms, command_id, actor, action, target, outcome, address, request_id, detail, mac'
const DEFAULT = "project_id = 'default'"

/** What an attacker without the master key can do to the entries, and the first number that shows it. */
const ATTACKS: readonly (readonly [name: string, sql: string, sequence: number, problem: string])[] = [
  [
    'a detail is changed',
    `UPDATE audit SET detail = '{"a":1}' WHERE ${DEFAULT} AND sequence = 4`,
    4,
    'altered',
  ],
  ['an entry is deleted', `DELETE FROM audit WHERE ${DEFAULT} AND sequence = 4`, 4, 'missing'],
  [
    'an entry is deleted and the others moved up',
    `DELETE FROM audit WHERE ${DEFAULT} AND sequence = 4;
     UPDATE audit SET sequence = -sequence WHERE ${DEFAULT} AND sequence > 4;
     UPDATE audit SET sequence = -sequence - 1 WHERE ${DEFAULT} AND sequence < 0`,
    4,
    'altered',
  ],
  [
    'two entries are swapped',
    `UPDATE audit SET sequence = -4 WHERE ${DEFAULT} AND sequence = 4;
     UPDATE audit SET sequence = 4 WHERE ${DEFAULT} AND sequence = 5;
     UPDATE audit SET sequence = 5 WHERE ${DEFAULT} AND sequence = -4`,
    4,
    'altered',
  ],
  [
    'an entry is inserted between two',
    `UPDATE audit SET sequence = -sequence - 1 WHERE ${DEFAULT} AND sequence > 4;
     UPDATE audit SET sequence = -sequence WHERE ${DEFAULT} AND sequence < 0;
     INSERT INTO audit SELECT project_id, 5, ${COLUMNS} FROM audit WHERE ${DEFAULT} AND sequence = 4`,
    5,
    'altered',
  ],
  [
    'an entry is added at the end',
    `INSERT INTO audit SELECT project_id, 10, ${COLUMNS} FROM audit WHERE ${DEFAULT} AND sequence = 9`,
    10,
    'altered',
  ],
  [
    'an entry is put before the first',
    `INSERT INTO audit SELECT project_id, 0, ${COLUMNS} FROM audit WHERE ${DEFAULT} AND sequence = 1`,
    0,
    'unexpected',
  ],
  ['the end is cut off', `DELETE FROM audit WHERE ${DEFAULT} AND sequence > 6`, 7, 'truncated'],
  ['all is deleted', `DELETE FROM audit WHERE ${DEFAULT}`, 1, 'truncated'],
  ['the beginning is deleted', `DELETE FROM audit WHERE ${DEFAULT} AND sequence < 4`, 1, 'missing'],
  [
    "another project's entry is put in its place",
    `DELETE FROM audit WHERE ${DEFAULT} AND sequence = 2;
     INSERT INTO audit SELECT 'default', 2, ${COLUMNS} FROM audit WHERE project_id = 'claviger' AND sequence = 2`,
    2,
    'altered',
  ],
  [
    "another project's whole chain is put in its place",
    `DELETE FROM audit WHERE ${DEFAULT};
     INSERT INTO audit SELECT 'default', sequence, ${COLUMNS} FROM audit WHERE project_id = 'claviger'`,
    1,
    'altered',
  ],
  [
    "a checkpoint's MAC is changed",
    `UPDATE audit_points SET mac = (SELECT mac FROM audit WHERE ${DEFAULT} AND sequence = 6) WHERE ${DEFAULT}`,
    9,
    'forged-signature',
  ],
  [
    'the end is cut off, and the checkpoint said to be of what is left',
    `DELETE FROM audit WHERE ${DEFAULT} AND sequence > 6;
     UPDATE audit_points SET sequence = 6, mac = (SELECT mac FROM audit WHERE ${DEFAULT} AND sequence = 6)
       WHERE ${DEFAULT}`,
    6,
    'forged-signature',
  ],
  [
    "another project's checkpoint is put in its place",
    `DELETE FROM audit WHERE ${DEFAULT} AND sequence > 6;
     DELETE FROM audit_points WHERE ${DEFAULT};
     INSERT INTO audit_points SELECT 'default', kind, sequence, mac, at_ms, signature
       FROM audit_points WHERE project_id = 'claviger'`,
    3,
    'forged-signature',
  ],
  [
    'a checkpoint is passed off as the record of a pruning',
    `DELETE FROM audit WHERE ${DEFAULT};
     UPDATE audit_points SET kind = 'prune' WHERE ${DEFAULT}`,
    9,
    'forged-signature',
  ],
]

describe('while the engine is stopped, another process', () => {
  test.each(ATTACKS)('is found out when %s', async (_name, sql, sequence, problem) => {
    expect(await place.verify()).toMatchObject({ ok: true, entries: 9, checkpointedThrough: 9, fault: null })
    place.tamper(sql)
    const report = await place.verify()
    if (problem === 'forged-signature') expect(report).toMatchObject({ ok: false, fault: { problem } })
    else expect(report).toMatchObject({ ok: false, fault: { sequence, problem } })
  })
})

describe('while the engine runs, another process', () => {
  test.each(ATTACKS)('is found out when %s', async (_name, sql, sequence, problem) => {
    const { audit } = (await place.start()).project('default')
    expect(await audit.verify()).toMatchObject({ ok: true, entries: 9, checkpointedThrough: 9 })
    place.tamper(sql)
    const report = await audit.verify()
    if (problem === 'forged-signature') expect(report).toMatchObject({ ok: false, fault: { problem } })
    else expect(report).toMatchObject({ ok: false, fault: { sequence, problem } })
    expect(await place.verify()).toEqual(report)
  })
})

test.each(COLUMNS.split(', '))('a change of %s alone is found', async (column) => {
  const value = column === 'at_ms' ? 'at_ms + 1' : `coalesce(${column}, '') || 'x'`
  place.tamper(`UPDATE audit SET ${column} = ${value} WHERE ${DEFAULT} AND sequence = 5`)
  expect((await place.verify()).fault).toMatchObject({ sequence: 5, problem: 'altered' })
})

test('a chain that was cut and has gone on is found by the checkpoint in between', async () => {
  const project = (await place.start()).project('default')
  place.tamper(`DELETE FROM audit WHERE ${DEFAULT} AND sequence > 6`)
  for (const name of ['a', 'b', 'c', 'd']) await project.roles.put(name, { permissions: [] })
  expect(await project.audit.verify()).toMatchObject({ fault: { sequence: 9, problem: 'rewritten' } })
})

test('the running node says so itself, at its next checkpoint', async () => {
  const engine = await place.start()
  place.tamper(`DELETE FROM audit WHERE ${DEFAULT} AND sequence > 6`)
  await engine.checkpointAudit()
  expect(place.problems).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining('was altered') }),
  )
})

test('a database rolled back to an older copy is found with a later checkpoint, also once it has gone on', async () => {
  const putBack = place.keepCopy()
  const second = await place.start()
  // Nothing that the journal would bring back at the next start (rule B1).
  await second.project('default').keys.create({ name: 'later' })
  await second.close()
  const later = place.checkpoints.at(-1)
  expect(later).toMatchObject({ projectId: 'default', sequence: 10 })
  if (later === undefined) return
  expect(await place.verify([later])).toMatchObject({ ok: true })
  putBack()
  expect(await place.verify()).toMatchObject({ ok: true, entries: 9 })
  expect(await place.verify([later])).toMatchObject({ fault: { sequence: 10, problem: 'truncated' } })

  const third = await place.start()
  await third.project('default').keys.create({ name: 'instead' })
  await third.close()
  expect(await place.verify()).toMatchObject({ ok: true, entries: 10 })
  expect(await place.verify([later])).toMatchObject({ fault: { sequence: 10, problem: 'rewritten' } })
})

test('with the stored checkpoints gone too, a cut is found by one that was kept elsewhere', async () => {
  place.tamper(
    `DELETE FROM audit WHERE ${DEFAULT} AND sequence > 6; DELETE FROM audit_points WHERE ${DEFAULT}`,
  )
  expect(await place.verify()).toMatchObject({ ok: true, checkpointedThrough: null })
  expect(await place.verify(checkpoints)).toMatchObject({
    fault: { sequence: 7, problem: 'truncated' },
  })
})

test('an old checkpoint proves what it was made of, and nothing that came after it', async () => {
  const [old] = checkpoints.filter(({ projectId }) => projectId === 'default')
  if (old === undefined) throw new Error('there is no checkpoint')
  const engine = await place.start()
  await engine.project('default').roles.put('later', { permissions: [] })
  await engine.close()
  expect(await place.verify([old])).toMatchObject({ ok: true, entries: 10, checkpointedThrough: 10 })
  for (const forged of [
    { ...old, sequence: 10 },
    { ...old, at: '2027-01-01T00:00:01.000Z' },
    { ...old, signature: 'f'.repeat(128) },
  ]) {
    expect(await place.verify([forged])).toMatchObject({ fault: { problem: 'forged-signature' } })
  }
})

test('all entries of a project gone with the project itself are missed with a checkpoint', async () => {
  place.tamper(`DELETE FROM audit WHERE project_id = 'claviger'; DELETE FROM audit_points`)
  const audit = await openOfflineAudit({ database: `sqlite:${place.file}` })
  const reports = await audit.verify({ checkpoints })
  audit.close()
  expect(reports.find(({ projectId }) => projectId === 'claviger')).toMatchObject({
    fault: { sequence: 1, problem: 'truncated' },
  })
})
