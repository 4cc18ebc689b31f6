import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { createKey } from '../keys/create-key.ts'
import { revokeKey } from '../keys/revoke-key.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { putSubject } from '../subjects/put-subject.ts'
import { listAuditEntries } from './list-entries.ts'
import { verifyAudit } from './verify-chain.ts'

let installation: TestInstallation

beforeAll(async () => {
  installation = await openTestInstallation()
})
afterAll(() => installation.close())

test('an entry says who did what to what, when, from where, and in which request', async () => {
  const scope = await installation.scope()
  const { id } = await createManagementKey(scope, { name: 'a', preset: 'backend' })
  const origin = { address: '192.0.2.7', requestId: 'request-1' }
  const caller = await installation.scope('default', { kind: 'management-key', keyId: id, origin })
  await putSubject(caller, 'alice', {})
  const { items } = await listAuditEntries(scope, { limit: 1 })
  expect(items).toMatchObject([
    {
      actor: id,
      action: 'subject.put',
      target: 'alice',
      outcome: 'done',
      address: '192.0.2.7',
      requestId: 'request-1',
      at: new Date(installation.clock.nowMs()).toISOString(),
    },
  ])
})

test("what stands where an address belongs and is none is not written down: it is the caller's own text", async () => {
  const scope = await installation.scope()
  const { id, credential } = await createManagementKey(scope, { name: 'a', preset: 'backend' })
  const actor = { kind: 'management-key', keyId: id, origin: { address: credential } } as const
  await putSubject(await installation.scope('default', actor), 'bob', {})
  expect((await listAuditEntries(scope, { limit: 1 })).items).toMatchObject([{ actor: id, address: null }])
})

test('a credential that somebody has written into a reason, a name or an id is not kept', async () => {
  const scope = await installation.scope()
  const { credential } = await createKey(scope, { name: 'sentinel' })
  const token = `eyJhbGciOiJub25lIn0.eyJzdWIiOiJzZW50aW5lbC1zZW50aW5lbCJ9.${'c2lnbmF0dXJl'.repeat(9)}`
  for (const sentinel of [credential, token]) {
    const { id } = await createKey(scope, { name: `leaked: ${sentinel}`, subject: sentinel })
    await revokeKey(scope, id, { reason: `found ${sentinel} in a log` })
    await putSubject(scope, sentinel, {})
    const entries = await installation.reader.selectFrom('audit').selectAll().execute()
    expect(JSON.stringify(entries)).not.toContain(sentinel.slice(-30))
    expect(JSON.stringify(entries)).toContain('found [redacted] in a log')
  }
})

test('text that UTF-8 has no form for does not break the chain', async () => {
  const scope = await installation.scope()
  await putSubject(scope, 'half \ud800 of a pair', {}).catch(() => {})
  const { id } = await createKey(scope, { name: 'half \udc00 of a pair \u0000' })
  await revokeKey(scope, id, { reason: '\ud800' })
  expect(await verifyAudit(scope)).toMatchObject({ ok: true })
})

test('a hundred commands side by side leave one chain without gaps', async () => {
  const scope = await installation.scope()
  await Promise.all(
    Array.from({ length: 100 }, (_, at) =>
      // Every third is refused, and gives back the place in the chain that it had taken.
      createKey(scope, { name: `key ${at}`, ...(at % 3 === 0 ? { roles: ['no-such-role'] } : {}) }).catch(
        () => {},
      ),
    ),
  )
  const { ok, entries, lastSequence } = await verifyAudit(scope)
  expect({ ok, entries }).toEqual({ ok: true, entries: lastSequence })
})
