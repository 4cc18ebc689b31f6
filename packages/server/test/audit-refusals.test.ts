import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { manualClock } from '@claviger/engine'
import { expect, onTestFinished, test } from 'vitest'
import { rawRequest, sendRaw } from './raw-http.ts'
import { startTestServer, type TestServer } from './test-server.ts'

interface Entry {
  readonly project_id: string
  readonly actor: string
  readonly target: string
  readonly address: string | null
  readonly request_id: string | null
  readonly detail: { readonly reason: string; readonly count: number }
}

async function start(options: Parameters<typeof startTestServer>[0] = {}): Promise<TestServer> {
  const claviger = await startTestServer(options)
  onTestFinished(() => claviger.close())
  return claviger
}

/** What the audit says of refused calls, once the server has stopped. */
async function refusalsOf({ server, folder }: TestServer): Promise<readonly Entry[]> {
  await server.close()
  const database = new DatabaseSync(join(folder, 'claviger.db'), { readOnly: true })
  const rows = database
    .prepare("SELECT * FROM audit WHERE outcome = 'refused' ORDER BY project_id DESC, sequence")
    .all()
  database.close()
  return rows.map((row) => ({ ...row, detail: JSON.parse(String(row.detail)) })) as unknown as Entry[]
}

async function managementKey(claviger: TestServer, input: Record<string, unknown>) {
  const { body } = await claviger.call('POST', '/v1/management-keys', {
    body: { name: 'a', preset: 'auditor', ...input },
  })
  return { id: String(body.id), key: String(body.credential) }
}

test('a call for which the verb is wanting is audited in the project of the key, with where it came from', async () => {
  const claviger = await start()
  const { id, key } = await managementKey(claviger, {})
  const answer = await claviger.call('POST', '/v1/keys', { key, body: { name: 'a' } })
  expect(answer.status).toBe(403)
  expect(await refusalsOf(claviger)).toMatchObject([
    {
      project_id: 'default',
      actor: id,
      target: 'POST /v1/keys',
      address: '127.0.0.1',
      request_id: answer.headers.get('claviger-request-id'),
      detail: { reason: 'forbidden', count: 1 },
    },
  ])
})

test('a key that is revoked, disabled, expired, or at another address is named, and what it met', async () => {
  const clock = manualClock(Date.now())
  const claviger = await start({ clock })
  const revoked = await managementKey(claviger, {})
  const disabled = await managementKey(claviger, {})
  const elsewhere = await managementKey(claviger, { ipAllow: ['192.0.2.0/24'] })
  const expired = await managementKey(claviger, { expiresAt: new Date(clock.nowMs() + 1000).toISOString() })
  await claviger.call('POST', `/v1/management-keys/${revoked.id}/revoke`)
  await claviger.call('PATCH', `/v1/management-keys/${disabled.id}`, { body: { disabled: true } })
  clock.advance(1000)
  for (const { key } of [revoked, disabled, elsewhere, expired]) {
    expect((await claviger.call('GET', '/v1/keys', { key })).status).toBe(401)
  }
  const entries = await refusalsOf(claviger)
  expect(entries.map(({ actor, detail }) => [actor, detail.reason])).toEqual([
    [revoked.id, 'revoked'],
    [disabled.id, 'disabled'],
    [elsewhere.id, 'ip_denied'],
    [expired.id, 'expired'],
  ])
})

test('a grant that is exceeded and a project that is not its own are audited in the own project alone', async () => {
  const claviger = await start()
  await claviger.call('POST', '/v1/projects', { body: { name: 'other' } })
  const { id, key } = await managementKey(claviger, { preset: 'backend', grants: ['documents:read'] })
  const wide = { name: 'wide', permissions: ['billing:read'] }
  expect((await claviger.call('POST', '/v1/keys', { key, body: wide })).status).toBe(403)
  const headers = { 'claviger-project': 'other' }
  expect((await claviger.call('GET', '/v1/keys', { key, headers })).status).toBe(404)
  // Root has mistyped a name: that is no refusal.
  await claviger.call('GET', '/v1/keys', { headers: { 'claviger-project': 'nowhere' } })
  expect(await refusalsOf(claviger)).toMatchObject([
    { project_id: 'default', actor: id, detail: { reason: 'exceeds_grants' } },
    { project_id: 'default', actor: id, target: 'GET /v1/keys', detail: { reason: 'foreign_project' } },
  ])
})

test('calls without a known key are one entry an address and minute, however many and whatever they ask', async () => {
  const clock = manualClock(Date.now())
  const claviger = await start({ clock, trustProxy: ['127.0.0.1'] })
  const call = (path: string, from: string, key: string | null = null) =>
    claviger.call('GET', path, { key, headers: { 'x-forwarded-for': from } })
  for (let at = 0; at < 30; at++) await call('/v1/keys', '192.0.2.1')
  for (let at = 0; at < 5; at++) await call('/v1/no/such/address', '192.0.2.2', `clv_mgmt_${'a'.repeat(44)}`)
  clock.advance(60_000)
  await call('/v1/roles', '192.0.2.1')
  const entries = await refusalsOf(claviger)
  expect(
    entries.map(({ project_id, actor, target, address, detail }) => [
      project_id,
      actor,
      target,
      address,
      detail.reason,
      detail.count,
    ]),
  ).toEqual([
    ['claviger', 'anonymous', 'GET /v1/keys', '192.0.2.1', 'unauthenticated', 30],
    ['claviger', 'anonymous', 'GET /v1', '192.0.2.2', 'malformed', 5],
    ['claviger', 'anonymous', 'GET /v1/roles', '192.0.2.1', 'unauthenticated', 1],
  ])
})

test('no credential, nor anything else of a refused request, stands in the audit', async () => {
  const claviger = await start({ trustProxy: ['127.0.0.1'] })
  const customer = (await claviger.call('POST', '/v1/keys', { body: { name: 'a' } })).body.credential
  const dead = await managementKey(claviger, {})
  await claviger.call('POST', `/v1/management-keys/${dead.id}/revoke`, {
    body: { reason: `leaked: ${dead.key}` },
  })
  for (const credential of [customer, dead.key, claviger.rootKey]) {
    const encoded = encodeURIComponent(credential)
    for (const key of [null, customer, dead.key]) {
      for (const path of [
        `/v1/keys/${encoded}`,
        `/v1/keys?q=${encoded}`,
        `/v1/${encoded}`,
        `/v1/%ff${encoded}`,
      ]) {
        await claviger.call('GET', path, { key, headers: { 'x-forwarded-for': credential } })
      }
    }
    await sendRaw(claviger.port, rawRequest('GET /v1/keys', [`Claviger-Project: ${credential}`]))
  }
  expect((await refusalsOf(claviger)).length).toBeGreaterThan(2)
  const database = new DatabaseSync(join(claviger.folder, 'claviger.db'), { readOnly: true })
  const audit = JSON.stringify(database.prepare('SELECT * FROM audit').all())
  database.close()
  for (const credential of [customer, dead.key, claviger.rootKey]) {
    expect(audit.includes(credential.slice(-30))).toBe(false)
  }
})
