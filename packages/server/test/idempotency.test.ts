import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { manualClock } from '@claviger/engine'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROUTES } from '../src/routes/table.ts'
import { type Answer, type CallOptions, startTestServer, type TestServer } from './test-server.ts'

const DAY_MS = 86_400_000
const clock = manualClock(Date.now())
let claviger: TestServer
let keys = 0

beforeAll(async () => {
  claviger = await startTestServer({ clock })
  await claviger.call('PUT', '/v1/roles/reader', { body: { permissions: ['documents:read'] } })
})
afterAll(() => claviger.close())

function newIdempotencyKey(): string {
  return `request-${keys++}`
}

function send(method: string, path: string, key: string, options: CallOptions = {}): Promise<Answer> {
  return claviger.call(method, path, {
    ...options,
    headers: { 'idempotency-key': key, ...options.headers },
  })
}

async function makeKey(): Promise<string> {
  return (await claviger.call('POST', '/v1/keys', { body: { name: 'made' } })).body.id
}

async function makeManagementKey(input: Record<string, unknown> = {}) {
  const body = { name: 'caller', preset: 'backend', grants: ['*:*'], ...input }
  return (await claviger.call('POST', '/v1/management-keys', { body })).body
}

async function auditLength(): Promise<number> {
  let length = 0
  for (const project of ['default', 'claviger']) {
    const headers = { 'claviger-project': project }
    let cursor: string | null = ''
    while (cursor !== null) {
      const page: Answer = await claviger.call(
        'GET',
        `/v1/audit?limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`,
        { headers },
      )
      length += page.body.items.length
      cursor = page.body.nextCursor
    }
  }
  return length
}

const SHAPE = { prefix: 'old_', alphabet: '0-9a-f', length: 40, hashEncoding: 'hex' }

/** One request of each route that changes something. A new route needs a line here, or `once: false`. */
const REQUESTS: Readonly<Record<string, () => Promise<readonly [path: string, body?: unknown]>>> = {
  createKey: async () => ['/v1/keys', { name: 'once', roles: ['reader'] }],
  changeKey: async () => [`/v1/keys/${await makeKey()}`, { name: 'changed' }],
  deleteKey: async () => [`/v1/keys/${await makeKey()}`],
  rotateKey: async () => [`/v1/keys/${await makeKey()}/rotate`, { overlapSeconds: 0 }],
  revokeKey: async () => [`/v1/keys/${await makeKey()}/revoke`],
  createSession: async () => ['/v1/sessions', { subject: 'alice', audience: 'https://api.example.com' }],
  revokeSession: async () => {
    const body = { subject: 'alice', audience: 'https://api.example.com' }
    return [`/v1/sessions/${(await claviger.call('POST', '/v1/sessions', { body })).body.id}/revoke`]
  },
  putAudience: async () => ['/v1/audiences/one', { ttlSeconds: 60 }],
  deleteAudience: async () => {
    await claviger.call('PUT', '/v1/audiences/two', { body: {} })
    return ['/v1/audiences/two']
  },
  putKeyShape: async () => ['/v1/key-shapes/one', SHAPE],
  deleteKeyShape: async () => {
    await claviger.call('PUT', '/v1/key-shapes/two', { body: SHAPE })
    return ['/v1/key-shapes/two']
  },
  createRevocation: async () => ['/v1/revocations', { keyId: await makeKey() }],
  liftRevocation: async () => {
    const body = { subject: 'banned', ban: true }
    return [`/v1/revocations/${(await claviger.call('POST', '/v1/revocations', { body })).body.id}`]
  },
  putRole: async () => ['/v1/roles/writer', { permissions: ['documents:write'] }],
  deleteRole: async () => {
    await claviger.call('PUT', '/v1/roles/gone', { body: { permissions: [] } })
    return ['/v1/roles/gone']
  },
  putSubject: async () => ['/v1/subjects/bob', { roles: ['reader'] }],
  patchSubject: async () => {
    await claviger.call('PUT', '/v1/subjects/carol', { body: {} })
    return ['/v1/subjects/carol', { disabled: true }]
  },
  deleteSubject: async () => {
    await claviger.call('PUT', '/v1/subjects/dave', { body: {} })
    return ['/v1/subjects/dave']
  },
  createProject: async () => ['/v1/projects', { name: 'once', algorithm: 'ES256' }],
  changeProject: async () => ['/v1/projects/default', { caps: { roles: 900 } }],
  createSigningKey: async () => ['/v1/signing-keys', { algorithm: 'Ed25519' }],
  rotateSigningKey: async () => ['/v1/signing-keys/rotate', { algorithm: 'ES256' }],
  setSigningSchedule: async () => ['/v1/signing-schedule', { periodSeconds: null }],
  createManagementKey: async () => ['/v1/management-keys', { name: 'once', preset: 'auditor' }],
  changeManagementKey: async () => [
    `/v1/management-keys/${(await makeManagementKey()).id}`,
    { name: 'changed' },
  ],
  deleteManagementKey: async () => [`/v1/management-keys/${(await makeManagementKey()).id}`],
  rotateManagementKey: async () => [`/v1/management-keys/${(await makeManagementKey()).id}/rotate`],
  revokeManagementKey: async () => [`/v1/management-keys/${(await makeManagementKey()).id}/revoke`],
}

const MUTATIONS = ROUTES.filter((route) => route.method !== 'GET' && route.once !== false)

describe('C7: a request with an idempotency key is carried out once', () => {
  test.each(MUTATIONS)(
    'C7: $method $path answers the second time what it answered the first',
    async (route) => {
      const request = REQUESTS[route.operationId]
      if (request === undefined) throw new Error(`add a request of ${route.operationId} to REQUESTS`)
      const [path, body] = await request()
      const key = newIdempotencyKey()
      const options = body === undefined ? {} : { body }
      const first = await send(route.method, path, key, options)
      expect(first.status, JSON.stringify(first.body)).toBe(route.answer.status)
      const entries = await auditLength()
      const second = await send(route.method, path, key, options)
      expect(second.status).toBe(first.status)
      expect(second.body).toEqual(first.body)
      expect(await auditLength()).toBe(entries)
    },
  )

  test('C7: of 50 at once one is carried out, and all get its answer', async () => {
    const key = newIdempotencyKey()
    const body = { name: 'fifty', prefix: 'fifty' }
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => send('POST', '/v1/keys', key, { body })),
    )
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]))
    expect(new Set(answers.map((answer) => answer.body.credential)).size).toBe(1)
    expect((await claviger.call('GET', '/v1/keys?prefix=fifty')).body.items).toHaveLength(1)
  })

  test('C7: the key is bound to route, project and body: with another of them it is 422, and nothing is done', async () => {
    await claviger.call('POST', '/v1/projects', { body: { name: 'elsewhere', algorithm: 'ES256' } })
    const key = newIdempotencyKey()
    const body = { name: 'bound' }
    expect((await send('POST', '/v1/keys', key, { body })).status).toBe(201)
    const entries = await auditLength()
    const there = { 'claviger-project': 'elsewhere' }
    for (const other of [
      await send('POST', '/v1/keys', key, { body: { name: 'other' } }),
      await send('PUT', '/v1/roles/bound', key, { body: { permissions: [] } }),
      await send('POST', '/v1/keys', key, { body, headers: there }),
    ]) {
      expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } })
    }
    expect(await auditLength()).toBe(entries)
  })

  test('C7: the key is bound to its caller: another one sends the same key for itself', async () => {
    const [first, second] = [await makeManagementKey(), await makeManagementKey()]
    const key = newIdempotencyKey()
    const body = { name: 'mine' }
    const one = await send('POST', '/v1/keys', key, { key: first.credential, body })
    const two = await send('POST', '/v1/keys', key, { key: second.credential, body })
    expect([one.status, two.status]).toEqual([201, 201])
    expect(two.body.id).not.toBe(one.body.id)
  })

  test('C7: a refusal is not remembered, for nothing was done', async () => {
    const key = newIdempotencyKey()
    const body = { name: 'later', roles: ['later'] }
    expect((await send('POST', '/v1/keys', key, { body })).status).toBe(400)
    await claviger.call('PUT', '/v1/roles/later', { body: { permissions: [] } })
    expect((await send('POST', '/v1/keys', key, { body })).status).toBe(201)
  })

  test('C7: an answer that the rotated text cannot read is 409 with the id, and nothing is done again', async () => {
    const caller = await makeManagementKey({
      preset: undefined,
      verbs: ['keys:write', 'management-keys:write'],
    })
    const key = newIdempotencyKey()
    const body = { name: 'sealed', prefix: 'sealed' }
    const made = await send('POST', '/v1/keys', key, { key: caller.credential, body })
    expect(made.status).toBe(201)
    const path = `/v1/management-keys/${caller.id}/rotate`
    const rotated = await claviger.call('POST', path, { key: caller.credential })
    const lost = await send('POST', '/v1/keys', key, { key: rotated.body.credential, body })
    expect(lost).toMatchObject({ status: 409, body: { code: 'answer_lost' } })
    expect(lost.body.detail).toContain(made.body.id)
    expect((await claviger.call('GET', '/v1/keys?prefix=sealed')).body.items).toHaveLength(1)
    const again = await send('POST', '/v1/keys', key, { key: caller.credential, body })
    expect(again.body).toEqual(made.body)
  })

  test('C7: a key that rotates itself and loses the answer gets it with its former text', async () => {
    const caller = await makeManagementKey({
      preset: undefined,
      verbs: ['management-keys:write'],
      grants: [],
    })
    const path = `/v1/management-keys/${caller.id}/rotate`
    const rotate = (overlapSeconds: number, key: string) =>
      send('POST', path, key, { key: caller.credential, body: { overlapSeconds } })
    expect((await rotate(59, newIdempotencyKey())).status).toBe(400)
    const key = newIdempotencyKey()
    const first = await rotate(60, key)
    expect(first.status).toBe(200)
    clock.advance(59_000)
    expect((await rotate(60, key)).body).toEqual(first.body)
  })

  test('C7: an answer is kept for 24 hours, and then the key is as new', async () => {
    const key = newIdempotencyKey()
    const body = { name: 'kept' }
    const first = await send('POST', '/v1/keys', key, { body })
    clock.advance(DAY_MS - 1)
    expect((await send('POST', '/v1/keys', key, { body })).body).toEqual(first.body)
    clock.advance(2)
    const later = await send('POST', '/v1/keys', key, { body })
    expect(later.status).toBe(201)
    expect(later.body.id).not.toBe(first.body.id)
  })

  test('C7: requests older than 24 hours are forgotten', async () => {
    await send('POST', '/v1/keys', newIdempotencyKey(), { body: { name: 'forgotten' } })
    clock.advance(DAY_MS + 1)
    await makeKey()
    const database = new DatabaseSync(join(claviger.folder, 'claviger.db'), { readOnly: true })
    const { held } = database.prepare('SELECT count(*) AS held FROM idempotency_keys').get() ?? {}
    database.close()
    expect(held).toBe(0)
  })

  test('C7: a clock that is set back a day carries nothing out twice', async () => {
    const key = newIdempotencyKey()
    const body = { name: 'set back' }
    const first = await send('POST', '/v1/keys', key, { body })
    clock.advance(-DAY_MS)
    expect((await send('POST', '/v1/keys', key, { body })).body).toEqual(first.body)
    clock.advance(DAY_MS)
  })

  test('neither a credential nor an idempotency key is in the files of the database', async () => {
    const key = 'sentinel-idempotency-key'
    const { body } = await send('POST', '/v1/keys', key, { body: { name: 'sentinel' } })
    const files = readdirSync(claviger.folder).filter((name) => name.includes('.db'))
    expect(files.length).toBeGreaterThan(0)
    for (const name of files) {
      const bytes = readFileSync(join(claviger.folder, name))
      expect(bytes.includes(body.credential), name).toBe(false)
      expect(bytes.includes(key), name).toBe(false)
    }
  })

  test.each(['', 'a b', 'x'.repeat(256)])('the key %j is refused', async (key) => {
    const answer = await send('POST', '/v1/keys', key, { body: { name: 'x' } })
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
  })

  test('what changes nothing, and what has a memory of its own, takes no notice of the key', async () => {
    const key = newIdempotencyKey()
    const mint = { subject: 'alice', audience: 'https://api.example.com' }
    const one = await send('POST', '/v1/tokens', key, { body: mint })
    const two = await send('POST', '/v1/tokens', key, { body: mint })
    expect(one.body.id).not.toBe(two.body.id)
    const verified = await send('POST', '/v1/verify', key, { body: { credential: 'x' } })
    expect(verified.status).toBe(200)
  })
})
