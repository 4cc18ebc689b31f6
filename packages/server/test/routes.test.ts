import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROUTES } from '../src/routes/table.ts'
import { startTestServer, type TestServer } from './test-server.ts'

let claviger: TestServer

beforeAll(async () => {
  claviger = await startTestServer()
  await claviger.call('PUT', '/v1/roles/reader', { body: { permissions: ['documents:read'] } })
})
afterAll(() => claviger.close())

async function createKey(input: Record<string, unknown> = {}): Promise<{ id: string; credential: string }> {
  const { status, body } = await claviger.call('POST', '/v1/keys', { body: { name: 'a key', ...input } })
  expect(status).toBe(201)
  return body
}

async function verify(credential: string, request: Record<string, unknown> = {}) {
  const { status, body } = await claviger.call('POST', '/v1/verify', { body: { credential, ...request } })
  expect(status).toBe(200)
  return body
}

test('a key is created, verified, rotated and revoked, each for the very next call', async () => {
  const key = await createKey({ roles: ['reader'], subject: 'alice', metadata: { plan: 'pro' } })
  expect(await verify(key.credential, { require: { permissions: 'documents:read' } })).toMatchObject({
    ok: true,
    kind: 'key',
    id: key.id,
    subject: 'alice',
    permissions: ['documents:read'],
    metadata: { plan: 'pro' },
  })
  expect(await verify(key.credential, { require: { permissions: 'documents:write' } })).toMatchObject({
    ok: false,
    code: 'insufficient_permissions',
    status: 403,
  })

  const rotated = await claviger.call('POST', `/v1/keys/${key.id}/rotate`)
  expect(rotated.status).toBe(200)
  expect(rotated.body.id).toBe(key.id)
  expect(await verify(key.credential)).toMatchObject({ ok: true, id: key.id })
  expect(await verify(rotated.body.credential)).toMatchObject({ ok: true, id: key.id })

  const receipt = await claviger.call('POST', `/v1/keys/${key.id}/revoke`, { body: { reason: 'leaked' } })
  expect(receipt).toMatchObject({ status: 200, body: { effective: true } })
  expect(await verify(key.credential)).toMatchObject({ ok: false, code: 'revoked', status: 401 })
  expect(await verify(rotated.body.credential)).toMatchObject({ ok: false, code: 'revoked' })
  expect((await claviger.call('GET', `/v1/keys/${key.id}`)).body).toMatchObject({ revokeReason: 'leaked' })
})

test('a key is listed, changed and deleted', async () => {
  const key = await createKey({ name: 'to be changed' })
  const listed = await claviger.call('GET', '/v1/keys?name=to%20be%20changed&limit=1&status=active')
  expect(listed.body.items).toMatchObject([{ id: key.id }])
  const changed = await claviger.call('PATCH', `/v1/keys/${key.id}`, { body: { disabled: true } })
  expect(changed).toMatchObject({ status: 200, body: { disabled: true, status: 'disabled' } })
  expect(await verify(key.credential)).toMatchObject({ ok: false, code: 'disabled' })
  expect((await claviger.call('DELETE', `/v1/keys/${key.id}`)).status).toBe(204)
  expect((await claviger.call('GET', `/v1/keys/${key.id}`)).status).toBe(404)
  expect(await verify(key.credential)).toMatchObject({ ok: false, code: 'revoked' })
})

test('a key that was issued elsewhere is imported under its shape by its hash, and passes', async () => {
  const shape = { prefix: 'old_', alphabet: '0-9a-f', length: 40, hashEncoding: 'hex' }
  const put = await claviger.call('PUT', '/v1/key-shapes/old', { body: shape })
  expect(put).toMatchObject({ status: 200, body: { name: 'old', randomBits: 160 } })
  expect((await claviger.call('GET', '/v1/key-shapes/old')).body).toEqual(put.body)
  expect((await claviger.call('GET', '/v1/key-shapes')).body.items).toEqual([put.body])
  const text = `old_${'0123456789'.repeat(4)}`
  const hash = createHash('sha256').update(text).digest('hex')
  const keys = [{ hash, roles: ['reader'], subject: 'imported' }, { hash: 'none' }]
  const imported = await claviger.call('POST', '/v1/keys/import', { body: { shape: 'old', keys } })
  expect(imported).toMatchObject({ status: 200, body: { imported: 1, failed: [{ index: 1 }] } })
  expect(await verify(text, { require: { permissions: 'documents:read' } })).toMatchObject({ ok: true })
  expect((await claviger.call('DELETE', '/v1/key-shapes/old')).body).toMatchObject({ code: 'in_use' })
  await claviger.call('POST', '/v1/revocations', { body: { credential: text } })
  expect(await verify(text)).toMatchObject({ ok: false, code: 'revoked' })
  expect((await claviger.call('DELETE', '/v1/key-shapes/old')).status).toBe(204)
  expect(await verify(text)).toMatchObject({ ok: false, code: 'malformed' })
})

test('an import may have a larger body than other requests, and no larger one than it says', async () => {
  const keyOf = (size: number) => ({ hash: 'x', metadata: { filler: 'x'.repeat(size) } })
  const body = (count: number, size: number) => ({
    shape: 'none',
    keys: Array.from({ length: count }, () => keyOf(size)),
  })
  expect((await claviger.call('POST', '/v1/keys/import', { body: body(100, 7000) })).body.code).toBe(
    'not_found',
  )
  expect((await claviger.call('POST', '/v1/keys/import', { body: body(200, 7000) })).status).toBe(413)
  expect((await claviger.call('POST', '/v1/keys', { body: { name: 'x'.repeat(70_000) } })).status).toBe(413)
})

test('revoke and rotate take a request without a body, of whatever media type', async () => {
  for (const type of [undefined, 'application/json']) {
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type }
    const { id } = await createKey()
    expect((await claviger.call('POST', `/v1/keys/${id}/rotate`, { headers })).status).toBe(200)
    expect((await claviger.call('POST', `/v1/keys/${id}/revoke`, { headers })).status).toBe(200)
  }
})

test('a list goes on where its page ended', async () => {
  await createKey({ prefix: 'paged' })
  await createKey({ prefix: 'paged' })
  const first = await claviger.call('GET', '/v1/keys?prefix=paged&limit=1')
  const second = await claviger.call('GET', `/v1/keys?prefix=paged&limit=1&cursor=${first.body.nextCursor}`)
  expect(second.body.items).toHaveLength(1)
  expect(second.body.items[0].id).not.toBe(first.body.items[0].id)
  expect(second.body.nextCursor).toBeNull()
})

test("a key's IP list is held against the address that the caller names, and not against the caller's own", async () => {
  const { credential } = await createKey({ ipAllow: ['192.0.2.0/24'] })
  expect(await verify(credential, { context: { ip: '192.0.2.7' } })).toMatchObject({ ok: true })
  expect(await verify(credential, { context: { ip: '127.0.0.1' } })).toMatchObject({ code: 'ip_denied' })
  expect(await verify(credential)).toMatchObject({ code: 'ip_denied' })
})

test('a token is minted, checked against its audience, and revoked by its text', async () => {
  const minted = await claviger.call('POST', '/v1/tokens', {
    body: { subject: 'bob', audience: 'https://api.example.com', roles: ['reader'] },
  })
  expect(minted.status).toBe(201)
  const { credential } = minted.body
  const right = { require: { audience: 'https://api.example.com', permissions: 'documents:read' } }
  expect(await verify(credential, right)).toMatchObject({ ok: true, kind: 'token', subject: 'bob' })
  expect(await verify(credential, { require: { audience: ['x', 'https://api.example.com'] } })).toMatchObject(
    {
      ok: true,
    },
  )
  expect(await verify(credential, { require: { audience: 'any' } })).toMatchObject({ ok: true })
  expect(await verify(credential, { require: { audience: 'other' } })).toMatchObject({
    code: 'wrong_audience',
  })
  expect(await verify(credential)).toMatchObject({ ok: false, code: 'wrong_audience' })

  const revoked = await claviger.call('POST', '/v1/revocations', { body: { credential } })
  expect(revoked).toMatchObject({ status: 201, body: { effective: true } })
  expect(await verify(credential, right)).toMatchObject({ ok: false, code: 'revoked' })
  const receipt = await claviger.call('GET', `/v1/revocations/${revoked.body.id}`)
  expect(receipt).toMatchObject({ status: 200, body: revoked.body })
})

test('everything of a subject is revoked so far, and a token minted afterwards works', async () => {
  const mint = async () =>
    (await claviger.call('POST', '/v1/tokens', { body: { subject: 'carol', audience: 'a' } })).body.credential
  const before = await mint()
  expect((await claviger.call('POST', '/v1/revocations', { body: { subject: 'carol' } })).status).toBe(201)
  const after = await mint()
  expect(await verify(before, { require: { audience: 'a' } })).toMatchObject({ code: 'revoked' })
  expect(await verify(after, { require: { audience: 'a' } })).toMatchObject({ ok: true })
})

test('a ban is listed and lifted', async () => {
  const ban = await claviger.call('POST', '/v1/revocations', { body: { subject: 'dave', ban: true } })
  const listed = await claviger.call('GET', '/v1/revocations?ban=true&limit=10')
  expect(listed.body.items).toMatchObject([{ id: ban.body.id, kind: 'subject', target: 'dave', ban: true }])
  expect((await claviger.call('DELETE', `/v1/revocations/${ban.body.id}`)).status).toBe(200)
  expect((await claviger.call('DELETE', `/v1/revocations/${ban.body.id}`)).status).toBe(404)
})

test('a role is written, listed, read and deleted, and its name is never used again', async () => {
  await claviger.call('PUT', '/v1/roles/temporary', { body: { permissions: ['a:b'] } })
  expect((await claviger.call('GET', '/v1/roles/temporary')).body.permissions).toEqual(['a:b'])
  expect(
    (await claviger.call('GET', '/v1/roles')).body.items.map((role: { name: string }) => role.name),
  ).toEqual(['reader', 'temporary'])
  expect((await claviger.call('DELETE', '/v1/roles/temporary')).status).toBe(204)
  const again = await claviger.call('PUT', '/v1/roles/temporary', { body: { permissions: [] } })
  expect(again).toMatchObject({ status: 409, body: { code: 'name_retired' } })
})

test('a subject of any spelling has a record that is written, changed, listed, read and deleted', async () => {
  for (const subject of ['eve', 'mailto:a b@example.com', 'a/b', 'ünï/💡?#%', 'x'.repeat(255)]) {
    const path = `/v1/subjects/${encodeURIComponent(subject)}`
    const written = await claviger.call('PUT', path, { body: { permissions: ['a:*'] } })
    expect(written).toMatchObject({ status: 200, body: { subject, permissions: ['a:*'] } })
    expect((await claviger.call('PATCH', path, { body: { disabled: true } })).body.disabled).toBe(true)
    expect((await claviger.call('GET', path)).body.subject).toBe(subject)
    const listed = await claviger.call('GET', '/v1/subjects?disabled=true')
    expect(listed.body.items).toMatchObject([{ subject }])
    expect((await claviger.call('DELETE', path)).status).toBe(204)
    expect((await claviger.call('GET', path)).status).toBe(404)
  }
})

test('a session is begun, refreshed, listed, read and ended', async () => {
  const audience = 'https://api.example.com'
  const require = { audience, permissions: 'documents:read' }
  const body = { subject: 'carol', audience, roles: ['reader'], device: 'Firefox', ip: '192.0.2.7' }
  const begun = await claviger.call('POST', '/v1/sessions', { body })
  expect(begun.status).toBe(201)
  const { id, accessToken, refreshToken } = begun.body
  expect(await verify(accessToken, { require })).toMatchObject({ ok: true, subject: 'carol', sessionId: id })

  const refreshed = await claviger.call('POST', '/v1/sessions/refresh', { body: { refreshToken } })
  expect(refreshed).toMatchObject({ status: 200, body: { id } })
  expect(await verify(refreshed.body.accessToken, { require })).toMatchObject({ ok: true, sessionId: id })

  const listed = await claviger.call('GET', '/v1/sessions?subject=carol&state=active')
  expect(listed.body.items).toMatchObject([{ id, device: 'Firefox', ip: '192.0.2.7' }])
  expect((await claviger.call('GET', `/v1/sessions/${id}`)).body).toEqual(listed.body.items[0])

  const ended = await claviger.call('POST', `/v1/sessions/${id}/revoke`, { body: { reason: 'logged out' } })
  expect(ended).toMatchObject({ status: 200, body: { effective: true } })
  for (const token of [accessToken, refreshed.body.accessToken]) {
    expect(await verify(token, { require })).toMatchObject({ ok: false, code: 'revoked' })
  }
  const late = await claviger.call('POST', '/v1/sessions/refresh', {
    body: { refreshToken: refreshed.body.refreshToken },
  })
  expect(late).toMatchObject({ status: 409, body: { code: 'session_ended' } })
})

test('a project is created, listed and read, and is its own world', async () => {
  const created = await claviger.call('POST', '/v1/projects', {
    body: { name: 'acme', keyPrefix: 'acme_live' },
  })
  expect(created).toMatchObject({ status: 201, body: { name: 'acme' } })
  expect((await claviger.call('POST', '/v1/projects', { body: { name: 'acme' } })).body.code).toBe(
    'already_exists',
  )
  expect((await claviger.call('GET', '/v1/projects')).body.items).toHaveLength(3)
  expect((await claviger.call('GET', '/v1/projects/acme')).body.keyPrefix).toBe('acme_live')
  const changed = await claviger.call('PATCH', '/v1/projects/acme', { body: { caps: { keys: 5 } } })
  expect(changed).toMatchObject({ status: 200, body: { name: 'acme', caps: { keys: 5 } } })

  const headers = { 'claviger-project': 'acme' }
  const key = await claviger.call('POST', '/v1/keys', { headers, body: { name: 'of acme' } })
  expect(key.body.credential).toMatch(/^acme_live_/)
  expect(await verify(key.body.credential)).toMatchObject({ ok: false, code: 'unknown' })
  const there = await claviger.call('POST', '/v1/verify', {
    headers,
    body: { credential: key.body.credential },
  })
  expect(there.body).toMatchObject({ ok: true, project: 'acme' })
})

test('a management key is created, listed, read, changed, rotated, revoked and deleted', async () => {
  const created = await claviger.call('POST', '/v1/management-keys', {
    body: { name: 'backend', preset: 'backend', grants: ['documents:*'] },
  })
  expect(created).toMatchObject({ status: 201, body: { project: 'default' } })
  const { id, credential: key } = created.body
  expect((await claviger.call('GET', '/v1/keys', { key })).status).toBe(200)
  expect((await claviger.call('GET', '/v1/management-keys')).body.items).toHaveLength(2)
  expect((await claviger.call('GET', `/v1/management-keys/${id}`)).body.grants).toEqual(['documents:*'])
  const changed = await claviger.call('PATCH', `/v1/management-keys/${id}`, {
    body: { verbs: ['keys:read'] },
  })
  expect(changed.body.verbs).toEqual(['keys:read'])
  const rotated = await claviger.call('POST', `/v1/management-keys/${id}/rotate`, {
    body: { overlapSeconds: 60 },
  })
  expect((await claviger.call('GET', '/v1/keys', { key: rotated.body.credential })).status).toBe(200)
  expect((await claviger.call('POST', `/v1/management-keys/${id}/revoke`)).status).toBe(200)
  expect((await claviger.call('GET', '/v1/keys', { key })).status).toBe(401)
  expect((await claviger.call('DELETE', `/v1/management-keys/${id}`)).status).toBe(204)
})

test('signing keys are listed, read, published, rotated and retired by the one revocation verb', async () => {
  const keys = await claviger.call('GET', '/v1/signing-keys')
  expect(keys.body.items).toMatchObject([{ algorithm: 'RS256', status: 'active' }])
  expect(JSON.stringify(keys.body)).not.toMatch(/"(d|p|q|dp|dq|qi)":/)
  const [{ id }] = keys.body.items
  const active = await claviger.call('GET', `/v1/signing-keys/${id}`)
  expect(active.body.publicPem).toMatch(/^-----BEGIN PUBLIC KEY-----\n/)

  const body = { algorithm: 'RS256' }
  const next = await claviger.call('POST', '/v1/signing-keys', { body })
  expect(next).toMatchObject({ status: 201, body: { status: 'next' } })
  const second = await claviger.call('POST', '/v1/signing-keys', { body })
  expect(second).toMatchObject({ status: 409, body: { code: 'already_exists' } })
  const rotated = await claviger.call('POST', '/v1/signing-keys/rotate')
  expect(rotated.body).toMatchObject({ id: next.body.id, status: 'next' })
  expect(Date.parse(rotated.body.activatesAt) - Date.parse(next.body.createdAt)).toBe(600_000)

  const token = await claviger.call('POST', '/v1/tokens', { body: { subject: 'erin', audience: 'a' } })
  const receipt = await claviger.call('POST', '/v1/revocations', { body: { signingKeyId: id } })
  expect(receipt).toMatchObject({ status: 201, body: { effective: true, signingKey: { id } } })
  expect((await claviger.call('GET', `/v1/revocations/${receipt.body.id}`)).body).toEqual(receipt.body)
  expect(await verify(token.body.credential, { require: { audience: 'a' } })).toMatchObject({
    ok: false,
    code: 'unknown',
  })
  expect((await claviger.call('GET', `/v1/signing-keys/${next.body.id}`)).body.status).toBe('active')
  const jwks = await claviger.call('GET', '/.well-known/jwks.json', { key: null })
  expect(jwks.body.keys).toMatchObject([{ kid: next.body.id }])
  expect(jwks.headers.get('cache-control')).toBe('public, max-age=300')
})

test('the schedule of rotation is read and set', async () => {
  const schedule = await claviger.call('GET', '/v1/signing-schedule')
  expect(schedule.body).toEqual({ periodSeconds: 7_776_000, publishAheadSeconds: 600 })
  const set = await claviger.call('PUT', '/v1/signing-schedule', { body: { periodSeconds: null } })
  expect(set.body).toEqual({ periodSeconds: null, publishAheadSeconds: 600 })
  expect((await claviger.call('GET', '/v1/signing-schedule')).body).toEqual(set.body)
})

test('audit entries are listed', async () => {
  const audit = await claviger.call('GET', '/v1/audit?action=role.put&limit=200')
  expect(audit.body.items.at(-1)).toMatchObject({ action: 'role.put', target: 'reader' })
})

test('the audit chain is checked, read and pruned, and its key shown', async () => {
  const checked = await claviger.call('GET', '/v1/audit/verify')
  expect(checked.body).toMatchObject({ projectId: 'default', ok: true, prunedThrough: null, fault: null })
  const { body } = await claviger.call('GET', '/v1/audit/chain?after=1&limit=2')
  expect(body).toMatchObject({ pruned: null, entries: [{ sequence: 2 }, { sequence: 3 }], nextAfter: 3 })
  const key = await claviger.call('GET', '/v1/audit/key')
  expect(key.body).toMatchObject({ algorithm: 'Ed25519', publicJwk: { kty: 'OKP', crv: 'Ed25519' } })
  const pruned = await claviger.call('POST', '/v1/audit/prune', { body: { before: '2020-01-01T00:00:00Z' } })
  expect(pruned.body).toEqual({ removed: 0, prunedThrough: null })
  const recent = await claviger.call('POST', '/v1/audit/prune', {
    body: { before: new Date().toISOString() },
  })
  expect(recent).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
})

test('defaults of an audience are kept under its name, however it has to be written in a path', async () => {
  const audience = 'https://api.example.com/a?b=ä&c'
  const path = `/v1/audiences/${encodeURIComponent(audience)}`
  const put = await claviger.call('PUT', path, { body: { ttlSeconds: 60, claims: { region: 'eu' } } })
  expect(put).toMatchObject({ status: 200, body: { audience, ttlSeconds: 60, claims: { region: 'eu' } } })
  expect((await claviger.call('GET', path)).body).toEqual(put.body)
  expect((await claviger.call('GET', '/v1/audiences')).body).toEqual({ items: [put.body], nextCursor: null })
  const minted = await claviger.call('POST', '/v1/tokens', { body: { subject: 'erin', audience } })
  expect(await verify(minted.body.credential, { require: { audience } })).toMatchObject({
    ok: true,
    claims: { region: 'eu' },
  })
  expect((await claviger.call('DELETE', path)).status).toBe(204)
  expect((await claviger.call('GET', path)).status).toBe(404)
})

test('a token is derived from a key, may do less, and is refused once the key is revoked', async () => {
  const key = await claviger.call('POST', '/v1/keys', {
    body: { name: 'parent', permissions: ['documents:*', 'billing:read'] },
  })
  const derive = (body: object) =>
    claviger.call('POST', '/v1/tokens', { body: { parent: key.body.credential, audience: 'a', ...body } })
  const child = await derive({ permissions: ['documents:read'] })
  expect(child.status).toBe(201)
  const asked = { require: { audience: 'a' } }
  expect(await verify(child.body.credential, asked)).toMatchObject({
    ok: true,
    clientId: key.body.id,
    permissions: ['documents:read'],
  })
  expect(await derive({ permissions: ['billing:pay'] })).toMatchObject({
    status: 403,
    body: { code: 'exceeds_parent' },
  })
  await claviger.call('POST', `/v1/keys/${key.body.id}/revoke`)
  expect(await verify(child.body.credential, asked)).toMatchObject({ code: 'revoked' })
  expect(await derive({})).toMatchObject({ status: 400, body: { code: 'parent_refused' } })
})

test('usage is read by what it was counted under, within about a second', async () => {
  const key = await createKey()
  await verify(key.credential, { tags: ['GET:/orders'], context: { ip: '192.0.2.7' } })
  const question = `/v1/usage?keyId=${key.id}&groupBy=tag,ip,outcome&resolution=minute`
  await expect
    .poll(async () => (await claviger.call('GET', question)).body.items, { timeout: 10_000 })
    .toEqual([{ tag: 'GET:/orders', ip: '192.0.2.7', outcome: 'ok', count: 1 }])
  const inFormat = async (accept: string) => {
    const headers = { authorization: `Bearer ${claviger.rootKey}`, accept }
    const answer = await fetch(`${claviger.url}${question}&limit=1`, { headers })
    return { type: answer.headers.get('content-type'), text: await answer.text() }
  }
  expect(await inFormat('text/csv')).toEqual({
    type: 'text/csv; charset=utf-8',
    text: 'tag,ip,outcome,count\r\nGET:/orders,192.0.2.7,ok,1\r\n',
  })
  expect(await inFormat('text/html, application/x-ndjson;q=0.9')).toEqual({
    type: 'application/x-ndjson; charset=utf-8',
    text: '{"tag":"GET:/orders","ip":"192.0.2.7","outcome":"ok","count":1}\n',
  })
  expect(await inFormat('application/json, text/csv')).toMatchObject({
    type: 'application/json; charset=utf-8',
  })
  const formula = { credential: key.credential, tags: ["=cmd|' /C calc'!A0"] }
  expect(await claviger.call('POST', '/v1/verify', { body: formula })).toMatchObject({ status: 400 })
  expect(await claviger.call('GET', '/v1/usage?groupBy=secret')).toMatchObject({ status: 400 })
})

test('a verifier in another process gets a snapshot, the changes since, keys by digest and a lease', async () => {
  const { body: key } = await claviger.call('POST', '/v1/keys', { body: { name: 'resolved' } })
  const snapshot = await claviger.call('GET', '/v1/changes/snapshot')
  const { position } = JSON.parse(snapshot.body.split('\n')[0])
  const applied = `${position.epoch}:${position.number}`
  const { body: page } = await claviger.call(
    'GET',
    `/v1/changes?after=${position.epoch}:${position.number - 1}`,
  )
  expect(page).toMatchObject({
    more: false,
    head: applied,
    changes: [{ facts: [{ type: 'key', id: key.id }] }],
  })
  const digests = [page.changes[0].facts[0].digests[0]]
  const fills = (await claviger.call('POST', '/v1/resolve', { body: { digests } })).body
  expect(fills).toMatchObject({ fills: [{ position, key: { id: key.id } }] })
  const verifier = { id: 'v'.repeat(16), name: 'orders' }
  const body = { verifier, nonce: 'n'.repeat(22), applied }
  const lease = await claviger.call('POST', '/v1/changes/lease', { body })
  expect(lease.body).toMatchObject({ leaseSeconds: 5, head: applied, nonce: body.nonce })
  const { id } = body.verifier
  const holders = [{ kind: 'subject', id: 'nobody' }]
  const parts = { verifier: { id }, calls: [{ holders, cost: 1, wanted: 1 }] }
  expect((await claviger.call('POST', '/v1/limits/lease', { body: parts })).body).toEqual({
    calls: [{ parts: [] }],
  })
  const nobody = { kind: null, keyId: '', subject: '', outcome: 'unknown', tags: '[]', ip: '' }
  const counts = [{ ...nobody, count: 1, atMs: Date.now() }]
  const report = { verifier: { id }, batch: 'b'.repeat(16), counts }
  expect((await claviger.call('POST', '/v1/usage', { body: report })).body).toEqual({ counted: true })
  expect((await claviger.call('GET', '/v1/verifiers')).body.items).toMatchObject([{ name: 'orders', lag: 0 }])
  const release = { verifier: { id: verifier.id } }
  expect(await claviger.call('POST', '/v1/changes/lease/release', { body: release })).toMatchObject({
    status: 204,
  })
  expect((await claviger.call('GET', '/v1/verifiers')).body.items).toEqual([])
})

test('every route of the table has answered as the reference says', () => {
  expect([...claviger.succeeded].sort()).toEqual(ROUTES.map(({ operationId }) => operationId).sort())
})
