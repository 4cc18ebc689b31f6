import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from './test-server.ts'

let claviger: TestServer

beforeAll(async () => {
  claviger = await startTestServer()
})
afterAll(() => claviger.close())

/** A project of its own, with these caps. */
async function makeProject(name: string, caps: Record<string, number>) {
  const { status } = await claviger.call('POST', '/v1/projects', { body: { name, algorithm: 'ES256' } })
  expect(status).toBe(201)
  expect((await claviger.call('PATCH', `/v1/projects/${name}`, { body: { caps } })).status).toBe(200)
  const headers = { 'claviger-project': name }
  return (method: string, path: string, body?: unknown, key?: string) =>
    claviger.call(method, path, {
      headers,
      ...(body === undefined ? {} : { body }),
      ...(key === undefined ? {} : { key }),
    })
}

test('50 parallel creations at the cap: exactly as many win as there is room for', async () => {
  const call = await makeProject('parallel', { keys: 7 })
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => call('POST', '/v1/keys', { name: `key ${index}` })),
  )
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(7)
  const refused = answers.filter(({ status }) => status !== 201)
  expect(new Set(refused.map(({ body }) => body.code))).toEqual(new Set(['cap_reached']))
  expect(refused[0]?.body.detail).toContain('`keys`')
  expect((await call('GET', '/v1/keys')).body.items).toHaveLength(7)
})

test('a deleted key makes room for another; a revoked one does not until it is deleted', async () => {
  const call = await makeProject('room', { keys: 1 })
  const { body } = await call('POST', '/v1/keys', { name: 'first' })
  expect((await call('POST', `/v1/keys/${body.id}/revoke`)).status).toBe(200)
  expect((await call('POST', '/v1/keys', { name: 'second' })).body.code).toBe('cap_reached')
  expect((await call('DELETE', `/v1/keys/${body.id}`)).status).toBe(204)
  expect((await call('DELETE', `/v1/keys/${body.id}`)).status).toBe(404)
  expect((await call('POST', '/v1/keys', { name: 'second' })).status).toBe(201)
  expect((await call('POST', '/v1/keys', { name: 'third' })).body.code).toBe('cap_reached')
})

test('one caller cannot fill the project: what it created itself is capped', async () => {
  const call = await makeProject('callers', { keysPerCaller: 2 })
  const input = { name: 'caller', preset: 'backend', grants: ['*:*'] }
  const one = (await call('POST', '/v1/management-keys', input)).body.credential
  const two = (await call('POST', '/v1/management-keys', input)).body.credential
  const create = (key: string) => call('POST', '/v1/keys', { name: 'made' }, key)
  const made = [await create(one), await create(one), await create(one)]
  expect(made.map(({ status }) => status)).toEqual([201, 201, 409])
  expect((await create(two)).status).toBe(201)
  await call('DELETE', `/v1/keys/${made[0]?.body.id}`)
  expect((await create(one)).status).toBe(201)
})

test.each([
  ['roles', 'PUT', (index: number) => [`/v1/roles/role-${index}`, { permissions: [] }]],
  ['subjects', 'PUT', (index: number) => [`/v1/subjects/subject-${index}`, {}]],
  ['audiences', 'PUT', (index: number) => [`/v1/audiences/audience-${index}`, {}]],
  [
    'sessionsPerSubject',
    'POST',
    () => ['/v1/sessions', { subject: 'alice', audience: 'https://api.example.com' }],
  ],
  ['managementKeys', 'POST', () => ['/v1/management-keys', { name: 'one', preset: 'auditor' }]],
] as const)('the cap `%s` holds', async (cap, method, request) => {
  const call = await makeProject(`cap-${cap.toLowerCase()}`, { [cap]: 2 })
  const answers = []
  for (let index = 0; index < 3; index++) {
    const [path, body] = request(index)
    answers.push(await call(method, path as string, body))
  }
  expect(answers.map(({ body }) => body.code ?? 'ok')).toEqual(['ok', 'ok', 'cap_reached'])
  // What is there already can be written again.
  const [path, body] = request(0)
  if (method === 'PUT') expect((await call(method, path as string, body)).status).toBe(200)
})

test('the cap `signingKeys` counts those that are not retired', async () => {
  const call = await makeProject('ring', { signingKeys: 2 })
  const create = (algorithm: string) => call('POST', '/v1/signing-keys', { algorithm })
  expect((await create('ES256')).status).toBe(201)
  expect((await create('Ed25519')).body.code).toBe('cap_reached')
})

test('the cap `projects` stands in the project of the management keys', async () => {
  const count = (await claviger.call('GET', '/v1/projects')).body.items.length
  const path = '/v1/projects/claviger'
  await claviger.call('PATCH', path, { body: { caps: { projects: count } } })
  const body = { name: 'too-many', algorithm: 'ES256' }
  expect((await claviger.call('POST', '/v1/projects', { body })).body.code).toBe('cap_reached')
  await claviger.call('PATCH', path, { body: { caps: { projects: null } } })
  expect((await claviger.call('POST', '/v1/projects', { body })).status).toBe(201)
})

test('revoking is never capped', async () => {
  const call = await makeProject('revoking', { keys: 0, roles: 0, subjects: 0 })
  expect((await call('POST', '/v1/revocations', { everything: true })).status).toBe(201)
})

test('caps are shown, are reset by null, and only root changes them', async () => {
  const call = await makeProject('shown', { keys: 3 })
  const defaults = (await claviger.call('GET', '/v1/projects/default')).body.caps
  expect((await claviger.call('GET', '/v1/projects/shown')).body.caps).toEqual({ ...defaults, keys: 3 })
  const key = (
    await call('POST', '/v1/management-keys', { name: 'bound', verbs: ['projects:write', 'projects:read'] })
  ).body.credential
  const raise = { body: { caps: { keys: 4 } } }
  expect((await claviger.call('PATCH', '/v1/projects/shown', { ...raise, key })).status).toBe(403)
  const reset = await claviger.call('PATCH', '/v1/projects/shown', { body: { caps: { keys: null } } })
  expect(reset.body.caps).toEqual(defaults)
  for (const caps of [{ keys: -1 }, { keys: 1.5 }, { unknown: 1 }]) {
    expect((await claviger.call('PATCH', '/v1/projects/shown', { body: { caps } })).status).toBe(400)
  }
})
