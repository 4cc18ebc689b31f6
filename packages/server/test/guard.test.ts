import { VERBS } from '@claviger/engine'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROUTES } from '../src/routes/table.ts'
import { rawRequest, sendRaw } from './raw-http.ts'
import { somePath, startTestServer, type TestServer } from './test-server.ts'

let claviger: TestServer

beforeAll(async () => {
  claviger = await startTestServer()
  await claviger.call('POST', '/v1/projects', { body: { name: 'other' } })
})
afterAll(() => claviger.close())

async function managementKey(input: Record<string, unknown>): Promise<string> {
  const { status, body } = await claviger.call('POST', '/v1/management-keys', {
    body: { name: 'caller', ...input },
  })
  expect(status).toBe(201)
  return body.credential
}

const MALFORMED = '{"name": '

describe('authentication comes before anything else (M5)', () => {
  test.each(ROUTES)('$method $path: 401 without a credential, whatever the body', async (route) => {
    const hasBody = route.method !== 'GET'
    for (const key of [null, 'nonsense', `clv_root_${'0'.repeat(44)}`]) {
      const options = { key, ...(hasBody ? { body: MALFORMED } : {}) }
      const answer = await claviger.call(route.method, `${somePath(route)}?unknown=1`, options)
      expect(answer.status).toBe(401)
      expect(answer.body.code).toBe('unauthenticated')
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="claviger"/)
    }
  })

  test.each(ROUTES)('$method $path: 403 without its verb, whatever the body', async (route) => {
    const verbs = VERBS.filter((verb) => verb !== route.verb)
    const key = await managementKey({ verbs, grants: ['*:*'] })
    const options = { key, ...(route.method === 'GET' ? {} : { body: MALFORMED }) }
    const answer = await claviger.call(route.method, somePath(route), options)
    expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    expect(answer.body.detail).toContain(`\`${route.verb}\``)
  })

  test.each(ROUTES)('$method $path: its verb alone passes the guard', async (route) => {
    const key = await managementKey({ verbs: [route.verb] })
    const answer = await claviger.call(route.method, somePath(route), { key })
    // What may be refused then is what the engine refuses, and not for want of the verb.
    expect(answer.status).not.toBe(401)
    if (answer.status === 403) expect(answer.body.detail).not.toContain(`\`${route.verb}\``)
  })

  test.each([
    '/v1',
    '/v1/',
    '/v1/nothing',
    '/v1/keys/',
    '/v1/keys/some/nothing',
    '/v1//keys',
    '//v1/keys',
    '/V1/keys',
    '/%761/keys',
    '/v1/%ff',
    '/v1/keys/%',
    '/v1?x',
    `/v1/keys/${'a'.repeat(5000)}`,
  ])('%s: who has no key does not learn whether it leads anywhere', async (path) => {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      const { status } = await sendRaw(claviger.port, rawRequest(`${method} ${path}`, []))
      expect(status, method).toBe(401)
    }
  })

  test('who has a key is told what there is', async () => {
    expect((await claviger.call('GET', '/v1/nothing')).body.code).toBe('not_found')
    const answer = await claviger.call('PUT', '/v1/keys')
    expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } })
    expect(answer.headers.get('allow')).toBe('GET, HEAD, POST')
    expect((await claviger.call('OPTIONS', '/v1/keys')).status).toBe(405)
  })

  test('HEAD is guarded as GET is, and answers its head alone', async () => {
    expect((await claviger.call('HEAD', '/v1/keys', { key: null })).status).toBe(401)
    const key = await managementKey({ verbs: ['keys:write'] })
    expect((await claviger.call('HEAD', '/v1/keys', { key })).status).toBe(403)
    const answer = await claviger.call('HEAD', '/v1/keys')
    expect(answer).toMatchObject({ status: 200, body: '' })
  })

  test('what is public needs no key', async () => {
    for (const path of ['/healthz', '/readyz', '/.well-known/jwks.json', '/docs', '/docs/openapi.json']) {
      expect((await claviger.call('GET', path, { key: null })).status, path).toBe(200)
    }
  })
})

describe('how a credential is presented', () => {
  const send = (headers: readonly string[]) => sendRaw(claviger.port, rawRequest('GET /v1/keys', headers))

  test('as a bearer token or in X-Api-Key, or in both if they agree', async () => {
    const { rootKey } = claviger
    expect((await send([`Authorization: Bearer ${rootKey}`])).status).toBe(200)
    expect((await send([`AUTHORIZATION: bearer  ${rootKey} `])).status).toBe(200)
    expect((await send([`x-api-key: ${rootKey}`])).status).toBe(200)
    expect((await send([`Authorization: Bearer ${rootKey}`, `X-Api-Key: ${rootKey}`])).status).toBe(200)
  })

  test('two that differ are refused, in either order', async () => {
    const other = await managementKey({ preset: 'auditor' })
    const root = claviger.rootKey
    for (const [bearer, apiKey] of [
      [root, other],
      [other, root],
      [root, 'nonsense'],
      [root, ''],
    ]) {
      const answer = await send([`Authorization: Bearer ${bearer}`, `X-Api-Key: ${apiKey}`])
      expect(answer.status).toBe(401)
      expect(answer.body).toContain('different credentials')
    }
  })

  test('a header that stands twice is refused, the same twice too', async () => {
    const { rootKey } = claviger
    expect((await send(Array(2).fill(`Authorization: Bearer ${rootKey}`))).status).toBe(401)
    expect((await send([`Authorization: Bearer ${rootKey}`, 'authorization: Bearer x'])).status).toBe(401)
    expect((await send(Array(2).fill(`X-Api-Key: ${rootKey}`))).status).toBe(401)
    const projects = ['Claviger-Project: default', 'Claviger-Project: default']
    expect((await send([`X-Api-Key: ${rootKey}`, ...projects])).status).toBe(400)
  })

  test('no other scheme, nor the address, nor a cookie or a body carries one', async () => {
    const { rootKey } = claviger
    const basic = Buffer.from(`key:${rootKey}`).toString('base64')
    for (const header of [
      `Authorization: ${rootKey}`,
      `Authorization: Basic ${basic}`,
      `Authorization: Bearer`,
      `Authorization: Bearer ${rootKey} ${rootKey}`,
      `Authorization: Bearer,${rootKey}`,
      `Cookie: authorization=${rootKey}`,
      `X-Api-Key:`,
    ]) {
      expect((await send([header])).status, header.split(' ')[1] ?? header).toBe(401)
    }
    const inQuery = await claviger.call('GET', `/v1/keys?key=${rootKey}&access_token=${rootKey}`, {
      key: null,
    })
    expect(inQuery.status).toBe(401)
  })
})

describe('who may manage', () => {
  test("a customer's key never does, whatever its permissions are called (M4)", async () => {
    const { body } = await claviger.call('POST', '/v1/keys', {
      body: { name: 'customer', permissions: ['keys:write', 'keys:read', 'management-keys:write', '*:*'] },
    })
    const token = await claviger.call('POST', '/v1/tokens', {
      body: { subject: 'customer', audience: claviger.url, permissions: ['keys:read', '*:*'] },
    })
    for (const key of [body.credential, token.body.credential]) {
      for (const project of ['default', 'claviger']) {
        const headers = { 'claviger-project': project }
        const answer = await claviger.call('GET', '/v1/keys', { key, headers })
        expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
      }
    }
  })

  test('root acts in `default` unless it names another project (M2)', async () => {
    await claviger.call('PUT', '/v1/roles/here', { body: { permissions: [] } })
    const there = { headers: { 'claviger-project': 'other' } }
    expect((await claviger.call('GET', '/v1/roles/here')).status).toBe(200)
    expect((await claviger.call('GET', '/v1/roles/here', there)).status).toBe(404)
    const nowhere = { headers: { 'claviger-project': 'nowhere' } }
    expect(await claviger.call('GET', '/v1/roles', nowhere)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    })
  })

  test('for a bound key there is no project but its own (M2)', async () => {
    const key = await managementKey({ project: 'other', preset: 'auditor' })
    const in_ = (name: string) => ({ key, headers: { 'claviger-project': name } })
    expect((await claviger.call('GET', '/v1/roles', { key })).body.items).toEqual([])
    expect((await claviger.call('GET', '/v1/roles', in_('other'))).status).toBe(200)
    const unknown = await claviger.call('GET', '/v1/roles', in_('nowhere'))
    for (const name of ['default', 'claviger']) {
      const answer = await claviger.call('GET', '/v1/roles', in_(name))
      expect(answer.status).toBe(404)
      expect(answer.body).toEqual(unknown.body)
    }
  })

  test('a management key with an IP list is held to the address of its caller', async () => {
    const elsewhere = await managementKey({ preset: 'auditor', ipAllow: ['192.0.2.0/24'] })
    const headers = { 'x-forwarded-for': '192.0.2.1' }
    expect((await claviger.call('GET', '/v1/keys', { key: elsewhere, headers })).status).toBe(401)
    const here = await managementKey({ preset: 'auditor', ipAllow: ['127.0.0.1'] })
    expect((await claviger.call('GET', '/v1/keys', { key: here })).status).toBe(200)
  })

  test('a key with narrow grants mints nothing wider (M3)', async () => {
    const key = await managementKey({ preset: 'backend', grants: ['documents:read'] })
    const wide = await claviger.call('POST', '/v1/keys', {
      key,
      body: { name: 'wide', permissions: ['documents:*'] },
    })
    expect(wide).toMatchObject({ status: 403, body: { code: 'exceeds_grants' } })
    const narrow = { name: 'narrow', permissions: ['documents:read'] }
    expect((await claviger.call('POST', '/v1/keys', { key, body: narrow })).status).toBe(201)
  })
})
