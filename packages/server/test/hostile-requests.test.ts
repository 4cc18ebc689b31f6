import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RawConnection, rawRequest, sendRaw } from './raw-http.ts'
import { startTestServer, type TestServer } from './test-server.ts'

let claviger: TestServer

beforeAll(async () => {
  claviger = await startTestServer({
    limits: { headersTimeoutMs: 300, requestTimeoutMs: 400, timeoutCheckIntervalMs: 20 },
  })
})
afterAll(() => claviger.close())

/** Whatever was sent before, the next caller is served. */
async function expectAlive(): Promise<void> {
  expect((await claviger.call('GET', '/v1/keys')).status).toBe(200)
}

const authorization = () => `Authorization: Bearer ${claviger.rootKey}`

describe('size', () => {
  test('headers beyond 16 KiB are 431, with a problem', async () => {
    const answer = await sendRaw(
      claviger.port,
      rawRequest('GET /v1/keys', [`X-Filler: ${'a'.repeat(17_000)}`]),
    )
    expect(answer.status).toBe(431)
    expect(JSON.parse(answer.body)).toMatchObject({ status: 431, code: 'headers_too_large' })
    expect(answer.head).toContain('application/problem+json')
    await expectAlive()
  })

  test('a header of 1 MB is refused', async () => {
    const answer = await sendRaw(
      claviger.port,
      rawRequest('GET /v1/keys', [`Authorization: Bearer ${'a'.repeat(1e6)}`]),
    )
    expect([431, 0]).toContain(answer.status)
    await expectAlive()
  })

  test('an address of 1 MB is refused', async () => {
    const answer = await sendRaw(claviger.port, rawRequest(`GET /v1/keys/${'a'.repeat(1e6)}`, []))
    expect([431, 0]).toContain(answer.status)
    await expectAlive()
  })

  test('a body beyond 64 KiB is 413, whether its length is told or not', async () => {
    const body = JSON.stringify({ name: 'x'.repeat(70_000) })
    const told = await claviger.call('POST', '/v1/keys', { body })
    expect(told).toMatchObject({ status: 413, body: { code: 'payload_too_large' } })
    const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
    const headers = [authorization(), 'Content-Type: application/json', 'Transfer-Encoding: chunked']
    const untold = new RawConnection(claviger.port)
    await untold.send(rawRequest('POST /v1/keys', headers) + chunked)
    expect((await untold.answer()).status).toBe(413)
    await expectAlive()
  })

  test('a credential of a million dots is refused before it is looked at', async () => {
    const answer = await claviger.call('POST', '/v1/verify', { body: { credential: '.'.repeat(1e6) } })
    expect(answer.status).toBe(413)
    const smaller = await claviger.call('POST', '/v1/verify', { body: { credential: '.'.repeat(10_000) } })
    expect(smaller).toMatchObject({ status: 200, body: { ok: false, code: 'malformed' } })
    await expectAlive()
  })

  test('JSON that is nested ten thousand deep is refused', async () => {
    const deep = `{"name":"x","metadata":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`
    expect(await claviger.call('POST', '/v1/keys', { body: deep })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    })
    await expectAlive()
  })
})

describe('bodies', () => {
  test.each([
    ['nothing that is JSON', '{"name": '],
    ['an array', '[]'],
    ['a text', '"name"'],
    ['null', 'null'],
    ['a member twice', '{"name":"a","name":"b"}'],
    ['a member twice, once escaped', '{"name":"a","n\\u0061me":"b"}'],
    ['a member twice, deep inside', '{"name":"a","metadata":{"b":[{"c":1,"c":2}]}}'],
    ['a member __proto__', '{"name":"a","metadata":{"__proto__":{"admin":true}}}'],
    ['a member __proto__, escaped', '{"name":"a","metadata":{"\\u005f_proto__":1}}'],
    ['a byte order mark', '\u00ef\u00bb\u00bf{"name":"a"}'],
    ['bytes that are no UTF-8', '{"name":"\u00ff"}'],
    ['half a surrogate pair', '{"name":"\\ud800"}'],
    ['a number beyond a double', '{"name":"a","metadata":{"b":1e999}}'],
  ])('%s is refused', async (_what, body) => {
    const headers = [authorization(), 'Content-Type: application/json']
    const answer = await sendRaw(claviger.port, rawRequest('POST /v1/keys', headers, body))
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body).code).toBe('invalid_request')
  })

  test('members that nobody knows are refused by name, in bodies and in queries', async () => {
    for (const [path, body] of [
      ['/v1/keys', { name: 'a', admin: true }],
      ['/v1/verify', { credential: 'a', admin: true }],
      ['/v1/verify', { credential: 'a', context: { admin: true } }],
      ['/v1/verify', { credential: 'a', require: { admin: 'any' } }],
    ] as const) {
      const answer = await claviger.call('POST', path, { body })
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
      expect(answer.body.detail).toContain('`admin`')
    }
    for (const path of ['/v1/keys?admin=1', '/v1/keys/some?admin=1', '/v1/roles?admin']) {
      const answer = await claviger.call('GET', path)
      expect(answer.status, path).toBe(400)
      expect(answer.body.detail).toContain('`admin`')
    }
  })

  test.each([
    'limit=0',
    'limit=201',
    'limit=1.5',
    'limit=1e1',
    'limit=',
    'limit=1&limit=2',
    'cursor=!',
    'status=x',
  ])('the query %s is refused', async (query) => {
    expect(await claviger.call('GET', `/v1/keys?${query}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    })
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'nonsense',
    'application/jsonp',
  ])('a body as %s is 415', async (type) => {
    const headers = { 'content-type': type }
    const answer = await claviger.call('POST', '/v1/keys', { headers, body: '{"name":"a"}' })
    expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } })
  })

  test('a body without a media type is 415, and one with a charset is read', async () => {
    const untyped = await sendRaw(
      claviger.port,
      rawRequest('POST /v1/keys', [authorization()], '{"name":"a"}'),
    )
    expect(untyped.status).toBe(415)
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    expect((await claviger.call('POST', '/v1/keys', { headers, body: '{"name":"a"}' })).status).toBe(201)
  })

  test('a permission query that does not parse is the request’s fault', async () => {
    const body = { credential: 'a', require: { permissions: 'documents:read and (' } }
    const answer = await claviger.call('POST', '/v1/verify', { body: { ...body } })
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    expect(answer.body.detail).toContain('require.permissions')
  })
})

describe('slowness', () => {
  test('a body that comes too slowly is cut off', async () => {
    const connection = new RawConnection(claviger.port)
    const headers = [authorization(), 'Content-Type: application/json', 'Content-Length: 100']
    await connection.send(rawRequest('POST /v1/keys', headers))
    await connection.send('{"name":')
    const answer = await connection.answer()
    expect(answer.status).toBe(408)
    expect(JSON.parse(answer.body).code).toBe('request_timeout')
    await expectAlive()
  })

  test('headers that come too slowly are cut off', async () => {
    const connection = new RawConnection(claviger.port)
    await connection.send('GET /v1/keys HTTP/1.1\r\nHost: localhost\r\nX-Slow')
    expect((await connection.answer()).status).toBe(408)
    await expectAlive()
  })

  test('a client that goes away in the middle of its body harms nobody', async () => {
    const socket = connect(claviger.port, '127.0.0.1')
    const head = rawRequest('POST /v1/keys', [
      authorization(),
      'Content-Type: application/json',
      'Content-Length: 9',
    ])
    await new Promise<void>((resolve) => socket.write(`${head}{`, () => resolve()))
    socket.destroy()
    await expectAlive()
  })
})

describe('what is no HTTP', () => {
  test.each([
    ['garbage', '\u0016\u0003\u0001\u0002\u0000\r\n\r\n'],
    ['an unknown method', 'NONSENSE / HTTP/1.1\r\n\r\n'],
    ['a request without Host', 'GET /healthz HTTP/1.1\r\n\r\n'],
    [
      'both lengths',
      'POST /v1/keys HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'two lengths',
      'POST /v1/keys HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    ],
    ['a line feed alone', 'GET /healthz HTTP/1.1\nHost: a\nX: y\n\n'],
  ])('%s is 400, and the connection ends', async (_what, request) => {
    expect((await sendRaw(claviger.port, request)).status).toBe(400)
    await expectAlive()
  })
})
