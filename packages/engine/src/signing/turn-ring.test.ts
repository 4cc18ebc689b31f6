import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  codeOf,
  managementKey,
  openTestInstallation,
  type TestInstallation,
} from '../../test/installation.ts'
import { makeSigningKey } from './make-signing-key.ts'
import { DEFAULT_PERIOD_SECONDS } from './read-period.ts'
import { loadRing } from './ring.ts'
import { turnDueRings } from './turn-due-rings.ts'

const RING = { projectId: 'default', algorithm: 'RS256' } as const

let installation: TestInstallation

beforeAll(async () => {
  installation = await openTestInstallation()
})
afterAll(() => installation.close())

function fail(error: unknown): void {
  throw error
}

test('the schedule is kept by the node: no management key has it kept', async () => {
  const call = installation.writer.run('turn-ring', { ...RING, spare: null }, managementKey('key_any'))
  expect(await codeOf(call)).toBe('forbidden')
})

test('a ring that owes nothing is left alone: no change, and no key pair made in vain', async () => {
  const { length } = installation.changes
  await turnDueRings(installation, fail)
  expect(installation.changes).toHaveLength(length)
})

test('of several nodes that see the same step owed, one takes it', async () => {
  installation.clock.advance(DEFAULT_PERIOD_SECONDS * 1000)
  installation.takeFacts('default')
  await Promise.all(Array.from({ length: 4 }, () => turnDueRings(installation, fail)))
  expect(installation.takeFacts('default')).toMatchObject([{ type: 'signing-key', status: 'next' }])
  const { active, next } = await loadRing(installation.reader, RING)
  expect([active?.status, next?.status]).toEqual(['active', 'next'])
})

test('a spare key that nobody needs any more leaves no trace', async () => {
  const spare = await makeSigningKey(installation, 'default', 'RS256')
  await installation.writer.run('turn-ring', { ...RING, spare }, { kind: 'installation' })
  const { next } = await loadRing(installation.reader, RING)
  expect(next?.id).not.toBe(spare.id)
  expect(installation.takeFacts('default')).toEqual([])
})

test('a ring that fails keeps no other from its steps', async () => {
  const { reader } = installation
  const failures: unknown[] = []
  let calls = 0
  const writer = {
    ...installation.writer,
    run: () => {
      calls++
      return Promise.reject(new Error('on purpose'))
    },
  }
  await installation.writer.run('add-signing-key', await makeSigningKey(installation, 'default', 'ES256'), {
    kind: 'installation',
  })
  installation.clock.advance(2 * DEFAULT_PERIOD_SECONDS * 1000)
  const parts = { ...installation, reader, writer: writer as unknown as TestInstallation['writer'] }
  await turnDueRings(parts, (error) => failures.push(error))
  expect([calls, failures.length]).toEqual([2, 2])
})
