import { expect, test } from 'vitest'
import { fillChain, openAuditPlace } from '../../test/audit-place.ts'
import { codeOf } from '../../test/installation.ts'

const DAY_MS = 86_400_000

/** Nine entries that are two days old, and one of now. */
async function openOldChain() {
  const place = openAuditPlace()
  const engine = await place.start()
  await fillChain(engine)
  place.clock.advance(2 * DAY_MS)
  const project = engine.project('default')
  await project.roles.put('new', { permissions: [] })
  const before = new Date(place.clock.nowMs() - DAY_MS).toISOString()
  return { place, engine, project, before }
}

test('what is older than the time asked for is removed, and the rest can still be checked', async () => {
  const { place, engine, project, before } = await openOldChain()
  expect(await project.audit.prune({ before })).toEqual({ removed: 9, prunedThrough: 9 })
  expect(await project.audit.prune({ before })).toEqual({ removed: 0, prunedThrough: null })
  const { items } = await project.audit.list()
  expect(items.map(({ sequence, action }) => [sequence, action])).toEqual([
    [11, 'audit.prune'],
    [10, 'role.put'],
  ])
  const report = { ok: true, entries: 2, lastSequence: 11, prunedThrough: 9 }
  expect(await project.audit.verify()).toMatchObject(report)
  await engine.close()
  // A checkpoint of what is gone can be compared no more, and is no fault.
  expect(await place.verify(place.checkpoints)).toMatchObject({ ...report, checkpointedThrough: 11 })
})

test('a change to what is left is found, and so is a deletion that passes itself off as more pruning', async () => {
  const { place, engine, project, before } = await openOldChain()
  await project.audit.prune({ before })
  await engine.close()
  place.tamper("DELETE FROM audit WHERE project_id = 'default' AND sequence = 10")
  expect(await place.verify()).toMatchObject({ fault: { sequence: 10, problem: 'missing' } })
  place.tamper(`UPDATE audit_points SET sequence = 10 WHERE project_id = 'default' AND kind = 'prune'`)
  expect(await place.verify()).toMatchObject({ fault: { problem: 'forged-signature' } })
  place.tamper(`DELETE FROM audit_points WHERE project_id = 'default' AND kind = 'prune'`)
  expect(await place.verify()).toMatchObject({ fault: { sequence: 1, problem: 'missing' } })
})

test('nothing of the last day is removed, and only who may write the audit removes anything', async () => {
  const { place, engine, project } = await openOldChain()
  const before = new Date(place.clock.nowMs() - DAY_MS + 1).toISOString()
  expect(await codeOf(project.audit.prune({ before }))).toBe('invalid_request')
  const { id: keyId } = await project.managementKeys.create({ name: 'a', preset: 'auditor' })
  const auditor = engine.project('default', { kind: 'management-key', keyId })
  const old = new Date(place.clock.nowMs() - DAY_MS).toISOString()
  expect(await codeOf(auditor.audit.prune({ before: old }))).toBe('forbidden')
  expect(await auditor.audit.verify()).toMatchObject({ ok: true })
})
