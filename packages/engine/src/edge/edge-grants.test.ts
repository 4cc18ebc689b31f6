import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { readHead } from '../changes/read-head.ts'
import { CodedError } from '../coded-error.ts'
import { createKey } from '../keys/create-key.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { revokeManagementKey } from '../management/revoke-management-key.ts'
import { createRevocation, type RevocationScope } from '../revocation/create-revocation.ts'
import type { Scope } from '../scope.ts'
import { EdgeGrants } from './edge-grants.ts'
import { grantLease } from './grant-lease.ts'

const HOUR_MS = 3_600_000
const NONCE = 'n'.repeat(22)

let installation: TestInstallation
let scope: Scope

beforeAll(async () => {
  installation = await openTestInstallation()
  scope = await installation.scope()
})
afterAll(() => installation.close())

function revokeSubject(subject: string, from: Scope = scope) {
  return createRevocation(from as RevocationScope, { subject })
}

/** Another run, whose monotonic clock stands still but for what it is let pass. */
async function openEdge(): Promise<{ readonly edge: EdgeGrants; passMs(ms: number): void }> {
  let monotonicMs = 0
  const parts = { ...installation, monotonicMs: () => monotonicMs }
  const edge = await EdgeGrants.open(installation.reader, parts)
  return {
    edge,
    passMs(ms) {
      monotonicMs += ms
    },
  }
}

async function lease(id: string, more: object = {}) {
  const { epoch, number } = await readHead(installation.reader, 'default')
  const verifier = { id: id.padEnd(16, '-'), name: id }
  return grantLease(scope, { verifier, nonce: NONCE, applied: `${epoch}:${number}`, ...more })
}

test('L3: before a lease is granted it is stored until when leases run; where that fails, none is', async () => {
  await lease('first')
  const row = await installation.reader.selectFrom('grants').selectAll().executeTakeFirstOrThrow()
  expect(row.boot_id).toBe(scope.edge.bootId)
  expect(row.until_ms).toBeGreaterThan(installation.clock.nowMs() + 5_000)
  const failing = await EdgeGrants.open(installation.reader, {
    ...installation,
    writer: {
      alive: true,
      onChanges: () => () => {},
      run: () => Promise.reject(new CodedError('storage_full', 'The disk is full.')),
    },
  })
  await expect(
    grantLease(
      { ...scope, edge: failing },
      {
        verifier: { id: 'v'.repeat(16) },
        nonce: NONCE,
        applied: '1-aaaaaaaa:0',
      },
    ),
  ).rejects.toThrow('The disk is full.')
  expect(failing.registry.list(scope.projectId)).toEqual([])
})

test('L3: after a restart no receipt is effective until what the former run granted has lapsed', async () => {
  await lease('long', { allowCachedSeconds: 600 })
  const { until_ms: untilMs } = await installation.reader
    .selectFrom('grants')
    .selectAll()
    .executeTakeFirstOrThrow()
  const { edge, passMs: pass } = await openEdge()
  const restarted = { ...scope, edge }
  const waiting = { effective: false, verifiers: ['what a former run of the server granted'] }
  expect(await revokeSubject('ada', restarted)).toMatchObject(waiting)
  pass(605_000)
  expect(await revokeSubject('eve', restarted)).toMatchObject(waiting)
  installation.clock.set(untilMs)
  expect(await revokeSubject('bob', restarted)).toMatchObject({ effective: true, verifiers: [] })
})

test('L3: a clock that is set forward before or after a restart ends nothing that the former run granted', async () => {
  await lease('long', { allowCachedSeconds: 600 })
  installation.clock.advance(2 * HOUR_MS)
  const { edge, passMs: pass } = await openEdge()
  const restarted = { ...scope, edge }
  pass(604_000)
  // A lease of this run forgets the rows of those that are over, and theirs is not.
  await edge.cover(5_000)
  expect(await revokeSubject('fay', restarted)).toMatchObject({ effective: false })
  const { edge: next, passMs: passNext } = await openEdge()
  passNext(604_000)
  expect(next.reach(scope.projectId, { epoch: '1-aaaaaaaa', number: 1 }, 0).effective).toBe(false)
  pass(1_000)
  expect(await revokeSubject('gus', restarted)).toMatchObject({ effective: true, verifiers: [] })
})

test('V8, L4: a receipt waits as long as a verifier may answer from its caches, by both clocks', async () => {
  await lease('cached', { allowCachedSeconds: 3_600 })
  installation.clock.advance(HOUR_MS)
  const waiting = await revokeSubject('carol')
  expect(waiting.effective).toBe(false)
  // The clock on the wall jumped: by the other one the lease runs on.
  installation.clock.advance(HOUR_MS)
  expect((await revokeSubject('dan')).effective).toBe(false)
  scope.edge.registry.release(scope.projectId, { id: 'cached'.padEnd(16, '-'), keyId: '' })
})

test('E3: after a restore no receipt is effective for one longest lease', async () => {
  installation.clock.advance(3 * HOUR_MS)
  const { edge, passMs: pass } = await openEdge()
  pass(2 * HOUR_MS)
  installation.clock.advance(2 * HOUR_MS)
  const nowMs = installation.clock.nowMs()
  const restored = { epoch: '2-restored', number: 7 }
  expect(edge.reach('other', restored, nowMs)).toEqual({
    effective: false,
    behind: ['what was granted before the restore'],
  })
  expect(edge.reach('other', restored, nowMs - HOUR_MS - 5_000)).toEqual({ effective: true, behind: [] })
  installation.clock.advance(HOUR_MS + 5_000)
  // Set forward: by the other clock no time has passed.
  expect(edge.reach('other', restored, nowMs).effective).toBe(false)
  pass(HOUR_MS + 5_000)
  expect(edge.reach('other', restored, nowMs)).toEqual({ effective: true, behind: [] })
})

test('V5: the receipt of a management key waits for the verifiers of its project', async () => {
  const { id } = await createManagementKey(scope, { name: 'minter', preset: 'backend' })
  await lease('follower')
  await createKey(scope, { name: 'moves the head' })
  const receipt = await revokeManagementKey(scope, id)
  expect(receipt.verifiers).toContain('follower')
})
