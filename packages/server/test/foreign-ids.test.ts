import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Route } from '../src/routes/route.ts'
import { ROUTES } from '../src/routes/table.ts'
import { startTestServer, type TestServer } from './test-server.ts'

let claviger: TestServer
/** What stands in the project `other`, by the first part of the path behind /v1. */
const foreign: Record<string, string> = {}
/** A management key of `mine` that may do all that can be done there. */
let mine: string

/** Ids that nothing has, of the form that each noun has. */
const NOTHING: Readonly<Record<string, string>> = {
  keys: `key_${'0'.repeat(32)}`,
  'management-keys': `key_${'0'.repeat(32)}`,
  sessions: `ses_${'0'.repeat(32)}`,
  revocations: `rev_${'0'.repeat(32)}`,
  'signing-keys': 'nothing',
  roles: 'nothing',
  subjects: 'nothing',
  audiences: 'nothing',
  'key-shapes': 'nothing',
  projects: 'nothing',
}

/** A body that each route takes, where an empty one would be refused before anything is looked for. */
const BODIES: Readonly<Record<string, unknown>> = {
  changeKey: { name: 'stolen' },
  changeManagementKey: { name: 'stolen' },
  patchSubject: { disabled: true },
  changeProject: { caps: { keys: 1 } },
}

/** A name that is free here is written here, whatever another project has under it. */
const WRITES_ITS_OWN = new Set(['putRole', 'putSubject', 'putAudience', 'putKeyShape'])

/** Nobody but root passes at all. */
const ROOT_ALONE = new Set(['changeProject'])

beforeAll(async () => {
  claviger = await startTestServer()
  for (const name of ['mine', 'other']) {
    await claviger.call('POST', '/v1/projects', { body: { name, algorithm: 'ES256' } })
  }
  const headers = { 'claviger-project': 'other' }
  const make = async (method: string, path: string, body: unknown) =>
    (await claviger.call(method, path, { headers, body })).body
  foreign.keys = (await make('POST', '/v1/keys', { name: 'foreign' })).id
  foreign['management-keys'] = (
    await make('POST', '/v1/management-keys', { name: 'foreign', preset: 'auditor' })
  ).id
  const session = { subject: 'foreign', audience: 'https://api.example.com' }
  foreign.sessions = (await make('POST', '/v1/sessions', session)).id
  foreign.revocations = (await make('POST', '/v1/revocations', { subject: 'foreign', ban: true })).id
  foreign['signing-keys'] = (await claviger.call('GET', '/v1/signing-keys', { headers })).body.items[0].id
  foreign.roles = (await make('PUT', '/v1/roles/foreign', { permissions: ['documents:read'] })).name
  foreign.subjects = (await make('PUT', '/v1/subjects/foreign', {})).subject
  foreign.audiences = (await make('PUT', '/v1/audiences/foreign', {})).audience
  const shape = { prefix: 'old_', alphabet: '0-9a-f', length: 40, hashEncoding: 'hex' }
  foreign['key-shapes'] = (await make('PUT', '/v1/key-shapes/foreign', shape)).name
  foreign.projects = 'other'
  const body = {
    name: 'mine',
    project: 'mine',
    verbs: [...new Set(ROUTES.map(({ verb }) => verb))],
    grants: ['*:*'],
  }
  mine = (await claviger.call('POST', '/v1/management-keys', { body })).body.credential
})
afterAll(() => claviger.close())

const NAMED = ROUTES.filter(({ path, operationId }) => path.includes('{') && !WRITES_ITS_OWN.has(operationId))

function nounOf({ path }: Route): string {
  return path.split('/')[2] ?? ''
}

function ask(route: Route, name: string | undefined) {
  if (name === undefined) throw new Error(`add what ${route.path} names to this test`)
  const body = BODIES[route.operationId] ?? (route.body === undefined ? undefined : {})
  const path = route.path.replaceAll(/\{[^}]+\}/g, name)
  return claviger.call(route.method, path, { key: mine, ...(body === undefined ? {} : { body }) })
}

describe('an id of another project is an id of nothing (M2)', () => {
  test.each(NAMED)('$method $path answers both alike', async (route) => {
    const missing = await ask(route, NOTHING[nounOf(route)])
    const others = await ask(route, foreign[nounOf(route)])
    expect(others.status).toBe(ROOT_ALONE.has(route.operationId) ? 403 : 404)
    expect(others.status).toBe(missing.status)
    expect(others.body).toEqual(missing.body)
  })

  test('and all of it is there as it was', async () => {
    const headers = { 'claviger-project': 'other' }
    for (const [noun, name] of Object.entries(foreign)) {
      const { status, body } = await claviger.call('GET', `/v1/${noun}/${name}`, { headers })
      expect(status, noun).toBe(200)
      expect(body.status ?? 'active', noun).toBe('active')
    }
  })

  test.each(['keyId', 'sessionId', 'signingKeyId'])(
    'POST /v1/revocations with a foreign `%s`',
    async (member) => {
      const noun = { keyId: 'keys', sessionId: 'sessions', signingKeyId: 'signing-keys' }[member] ?? ''
      const revoke = (id: string | undefined) =>
        claviger.call('POST', '/v1/revocations', { key: mine, body: { [member]: id } })
      const [missing, others] = [await revoke(NOTHING[noun]), await revoke(foreign[noun])]
      expect(missing.status).toBe(404)
      expect(others.body).toEqual(missing.body)
    },
  )

  test("a role of another project is unknown to a key's creation", async () => {
    const body = { name: 'borrowed', roles: ['foreign'] }
    const answer = await claviger.call('POST', '/v1/keys', { key: mine, body })
    expect(answer.status).toBe(400)
  })
})

describe('nobody gets more than they have', () => {
  async function caller(input: Record<string, unknown>): Promise<string> {
    const body = { name: 'caller', project: 'mine', ...input }
    return (await claviger.call('POST', '/v1/management-keys', { body })).body.credential
  }

  test('a key without grants creates none that may do anything, for itself or for somebody else', async () => {
    const key = await caller({ preset: 'backend' })
    for (const subject of [undefined, 'alice']) {
      const body = { name: 'for somebody', ...(subject === undefined ? {} : { subject }) }
      const wide = { ...body, permissions: ['documents:read'] }
      expect((await claviger.call('POST', '/v1/keys', { key, body: wide })).body.code).toBe('exceeds_grants')
      expect((await claviger.call('POST', '/v1/keys', { key, body })).status).toBe(201)
    }
  })

  test('a narrow key neither mints, widens nor rotates a wide one', async () => {
    const headers = { 'claviger-project': 'mine' }
    const body = { name: 'wide', permissions: ['billing:*'] }
    const wide = (await claviger.call('POST', '/v1/keys', { headers, body })).body.id
    const key = await caller({ preset: 'backend', grants: ['documents:read'] })
    const own = { name: 'narrow', permissions: ['documents:read'] }
    const narrow = (await claviger.call('POST', '/v1/keys', { key, body: own })).body.id
    const target = { subject: 'alice', audience: 'https://api.example.com', permissions: ['billing:read'] }
    for (const [method, path, input] of [
      ['POST', '/v1/keys', body],
      ['PATCH', `/v1/keys/${narrow}`, { permissions: ['documents:*'] }],
      ['PATCH', `/v1/keys/${wide}`, { permissions: ['billing:*', 'documents:read'] }],
      ['POST', `/v1/keys/${wide}/rotate`, {}],
      ['POST', '/v1/tokens', target],
      ['POST', '/v1/sessions', target],
    ] as const) {
      const answer = await claviger.call(method, path, { key, body: input })
      expect(answer, `${method} ${path}`).toMatchObject({ status: 403, body: { code: 'exceeds_grants' } })
    }
  })

  test('an empty list permits nothing: of scopes, roles, permissions and grants', async () => {
    const headers = { 'claviger-project': 'mine' }
    const bodies = [
      { name: 'no scopes', permissions: ['documents:read'], scopes: [] },
      { name: 'nothing', roles: [], permissions: [] },
    ]
    for (const body of bodies) {
      const { credential } = (await claviger.call('POST', '/v1/keys', { headers, body })).body
      const request = { credential, require: { permissions: 'documents:read' } }
      const verdict = await claviger.call('POST', '/v1/verify', { headers, body: request })
      expect(verdict.body, body.name).toMatchObject({ ok: false, code: 'insufficient_permissions' })
    }
    const key = await caller({ preset: 'backend', grants: [] })
    const wide = { name: 'wide', permissions: ['documents:read'] }
    expect((await claviger.call('POST', '/v1/keys', { key, body: wide })).body.code).toBe('exceeds_grants')
  })

  test.each(ROUTES)('$method $path is closed to a customer’s key (M4)', async (route) => {
    const headers = { 'claviger-project': 'mine' }
    const body = { name: 'customer', permissions: ['*:*'] }
    const made = await claviger.call('POST', '/v1/keys', { headers, body })
    const path = route.path.replaceAll(/\{[^}]+\}/g, 'some')
    const answer = await claviger.call(route.method, path, { key: made.body.credential })
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
  })
})
