import { afterAll, beforeAll, expect, test } from 'vitest'
import { rawRequest, sendRaw } from './raw-http.ts'
import { startTestServer, type TestServer } from './test-server.ts'

let behindProxy: TestServer
let direct: TestServer
let restricted: string
let restrictedDirect: string

beforeAll(async () => {
  behindProxy = await startTestServer({ trustProxy: ['127.0.0.1/32', '10.0.0.0/8'] })
  direct = await startTestServer({ trustProxy: ['10.0.0.0/8'] })
  restricted = await keyFor192(behindProxy)
  restrictedDirect = await keyFor192(direct)
})
afterAll(() => Promise.all([behindProxy.close(), direct.close()]))

async function keyFor192(claviger: TestServer): Promise<string> {
  const input = { name: 'restricted', preset: 'auditor', ipAllow: ['192.0.2.0/24', '2001:db8::/32'] }
  return (await claviger.call('POST', '/v1/management-keys', { body: input })).body.credential
}

async function statusVia(claviger: TestServer, key: string, forwarded: readonly string[]): Promise<number> {
  const headers = [`Authorization: Bearer ${key}`, ...forwarded.map((value) => `X-Forwarded-For: ${value}`)]
  return (await sendRaw(claviger.port, rawRequest('GET /v1/keys', headers))).status
}

test.each([
  [['192.0.2.1'], 200],
  [['203.0.113.1, 192.0.2.1'], 200],
  [['192.0.2.1, 10.1.1.1'], 200],
  [['192.0.2.1', '10.1.1.1'], 200],
  [['2001:DB8:0::1'], 200],
  [['::ffff:192.0.2.1'], 200],
  // The last address that no trusted proxy has is the client's; what stands before it, the client wrote.
  [['192.0.2.1, 203.0.113.1'], 401],
  [['192.0.2.1', '203.0.113.1'], 401],
  [['203.0.113.1'], 401],
  [['192.0.2.1 evil'], 401],
  [['192.0.2.001'], 401],
  [['192.0.2.1:80'], 401],
  [['unknown'], 401],
  [[''], 401],
  [[], 401],
])('behind a trusted proxy X-Forwarded-For %j is answered %i', async (forwarded, status) => {
  expect(await statusVia(behindProxy, restricted, forwarded)).toBe(status)
})

test('from anybody else X-Forwarded-For says nothing', async () => {
  expect(await statusVia(direct, restrictedDirect, ['192.0.2.1'])).toBe(401)
})

test("a customer's IP list is held against `context.ip` alone, in whatever spelling, and never against a header", async () => {
  const body = { name: 'listed', ipAllow: ['192.0.2.0/24', '2001:db8::/32'] }
  const { credential } = (await behindProxy.call('POST', '/v1/keys', { body })).body
  const codeFor = async (ip?: string, headers: Record<string, string> = {}) => {
    const request = { credential, ...(ip === undefined ? {} : { context: { ip } }) }
    const verdict = (await behindProxy.call('POST', '/v1/verify', { headers, body: request })).body
    return verdict.ok === true ? 'ok' : verdict.code
  }
  for (const ip of ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201', '2001:DB8:0:0::1', '2001:0db8::']) {
    expect(await codeFor(ip), ip).toBe('ok')
  }
  for (const ip of ['192.0.2.01', '2001:db8::1%eth0', '[2001:db8::1]', '192.0.2.1:80', '::192.0.2.1', '']) {
    expect(await codeFor(ip), ip).toBe('ip_denied')
  }
  for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'true-client-ip', 'cf-connecting-ip']) {
    expect(await codeFor(undefined, { [header]: '192.0.2.1' }), header).toBe('ip_denied')
    expect(await codeFor('203.0.113.1', { [header]: '192.0.2.1' }), header).toBe('ip_denied')
  }
})
