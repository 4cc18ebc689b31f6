import { afterAll, beforeAll, expect, test } from 'vitest'
import { RawConnection, rawRequest, sendRaw } from './raw-http.ts'
import { startTestServer, type TestServer } from './test-server.ts'

let claviger: TestServer

beforeAll(async () => {
  claviger = await startTestServer({
    // So that the caller's own text can become the client's address.
    trustProxy: ['127.0.0.1'],
    limits: { requestTimeoutMs: 400, headersTimeoutMs: 300, timeoutCheckIntervalMs: 20 },
  })
})
afterAll(() => claviger.close())

/** The part of a credential that nothing else contains. */
const secretPart = (credential: string) => credential.slice(-30)

test('no credential stands in the log, wherever in a request it was, and however the request failed', async () => {
  const { rootKey, port } = claviger
  const key = (await claviger.call('POST', '/v1/keys', { body: { name: 'sentinel' } })).body
  const token = (await claviger.call('POST', '/v1/tokens', { body: { subject: 'sentinel', audience: 'a' } }))
    .body
  const rotated = (await claviger.call('POST', `/v1/keys/${key.id}/rotate`)).body
  const credentials = [rootKey, key.credential, rotated.credential, token.credential]

  for (const credential of credentials) {
    const encoded = encodeURIComponent(credential)
    for (const path of [
      `/v1/keys?key=${encoded}`,
      `/v1/keys/${encoded}`,
      `/${encoded}`,
      `/v1/%ff${encoded}`,
      `/%ff${encoded}`,
    ]) {
      for (const presented of [null, credential, rootKey]) {
        await claviger.call('GET', path, { key: presented, headers: { 'x-forwarded-for': credential } })
      }
    }
    for (const [path, body] of [
      ['/v1/verify', { credential }],
      ['/v1/verify', { credential, require: { permissions: credential } }],
      ['/v1/verify', { [credential]: credential }],
      ['/v1/verify', `{"credential":"${credential}"`],
      ['/v1/keys', { name: credential, roles: [credential] }],
      ['/v1/keys', { name: 'a', scopes: [credential] }],
      ['/v1/revocations', { credential: `${credential}x` }],
      [`/v1/keys/${encoded}/revoke`, { reason: credential }],
    ] as const) {
      await claviger.call('POST', path, { body })
    }
    for (const header of [
      `Authorization: Basic ${credential}`,
      `Authorization: Bearer ${credential} ${credential}`,
      `X-Api-Key: ${credential}, ${credential}`,
      `Cookie: ${credential}`,
      `Claviger-Project: ${credential}`,
    ]) {
      await sendRaw(port, rawRequest(`GET /v1/keys HTTP/1.1 ${credential}`, [header]))
      await sendRaw(port, rawRequest('GET /v1/keys', [header]))
      await sendRaw(port, rawRequest('GET /v1/keys', [header, `X: ${'a'.repeat(20_000)}`]))
    }
    const slow = new RawConnection(port)
    await slow.send(
      rawRequest('POST /v1/verify', [
        `Authorization: Bearer ${rootKey}`,
        'Content-Type: application/json',
        'Content-Length: 9999',
      ]),
    )
    await slow.send(`{"credential":"${credential}"`)
    await slow.answer()
  }

  const log = claviger.lines.join('')
  expect(claviger.lines.length).toBeGreaterThan(100)
  for (const credential of credentials) expect(log.includes(secretPart(credential))).toBe(false)
})

test('a line says which route answered what to whom, and nothing of the address', async () => {
  await claviger.call('GET', '/v1/keys?limit=7')
  const line = JSON.parse(claviger.lines.at(-1) ?? '')
  expect(line).toMatchObject({
    level: 30,
    method: 'GET',
    route: '/v1/keys',
    status: 200,
    client: '127.0.0.1',
  })
  expect(line.caller).toMatch(/^key_/)
  expect(line.durationMs).toBeGreaterThan(0)
  expect(JSON.stringify(line)).not.toContain('limit')
})

test('a problem names the request as the log does', async () => {
  const { headers } = await claviger.call('GET', '/v1/keys/some')
  expect(JSON.parse(claviger.lines.at(-1) ?? '').requestId).toBe(headers.get('claviger-request-id'))
})

test('an address that leads nowhere is not written down', async () => {
  await claviger.call('GET', '/some/where')
  expect(JSON.parse(claviger.lines.at(-1) ?? '')).toMatchObject({ route: null, status: 404 })
  expect(claviger.lines.at(-1)).not.toContain('some')
})

test('verifications are written at debug level, and so are the questions of a load balancer', async () => {
  await claviger.call('POST', '/v1/verify', { body: { credential: 'a' } })
  expect(JSON.parse(claviger.lines.at(-1) ?? '')).toMatchObject({ level: 20, route: '/v1/verify' })
  await claviger.call('GET', '/readyz', { key: null })
  expect(JSON.parse(claviger.lines.at(-1) ?? '')).toMatchObject({ level: 20, route: '/readyz' })
  await claviger.call('POST', '/v1/verify', { key: null, body: { credential: 'a' } })
  expect(JSON.parse(claviger.lines.at(-1) ?? '')).toMatchObject({ level: 30, status: 401 })
})
