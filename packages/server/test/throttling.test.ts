import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rawRequest, sendRaw } from './raw-http.ts'
import { startTestServer, type TestServer } from './test-server.ts'

const BURST = 5
const limits = { guesses: { burst: BURST, refillMs: 60_000, maxAddresses: 1_000 } }

let direct: TestServer
let behindProxy: TestServer

beforeAll(async () => {
  direct = await startTestServer({ limits })
  behindProxy = await startTestServer({ limits, trustProxy: ['127.0.0.1/32'] })
})
afterAll(() => Promise.all([direct.close(), behindProxy.close()]))

function guess(server: TestServer, ...headers: readonly string[]) {
  const wrong = `X-Api-Key: clv_root_${'0'.repeat(44)}`
  return sendRaw(server.port, rawRequest('GET /v1/keys', [wrong, ...headers]))
}

async function statuses(server: TestServer, headers: readonly string[]): Promise<number[]> {
  const seen: number[] = []
  for (const header of headers) seen.push((await guess(server, header)).status)
  return seen
}

describe('callers who guess management keys', () => {
  test('forged X-Forwarded-For counts for nothing unless a proxy is trusted, nor does any other header', async () => {
    const forged = Array.from({ length: BURST }, (_, index) => `X-Forwarded-For: 192.0.2.${index}`)
    expect(await statuses(direct, forged)).toEqual(Array(BURST).fill(401))
    for (const header of [
      'X-Forwarded-For: 198.51.100.1',
      'Forwarded: for=198.51.100.2',
      'X-Real-IP: 198.51.100.3',
      'CF-Connecting-IP: 198.51.100.4',
      'True-Client-IP: 198.51.100.5',
      'X-Client-IP: 198.51.100.6',
      'X-Cluster-Client-IP: 198.51.100.7',
    ]) {
      expect((await guess(direct, header)).status, header).toBe(429)
    }
  })

  test('are told when to come again', async () => {
    const answer = await guess(direct)
    expect(answer.status).toBe(429)
    expect(answer.body).toContain('too_many_requests')
    const wait = Number(/^retry-after: (\d+)/im.exec(answer.head)?.[1])
    expect(wait).toBeGreaterThan(50)
    expect(wait).toBeLessThanOrEqual(60)
  })

  test('lock nobody out: a valid key from the same address passes at once', async () => {
    expect((await guess(direct)).status).toBe(429)
    expect((await direct.call('GET', '/v1/keys')).status).toBe(200)
  })

  test('a request without a credential has guessed nothing', async () => {
    expect((await direct.call('GET', '/v1/keys', { key: null })).status).toBe(401)
  })

  test('behind a trusted proxy each client has its own count', async () => {
    const first = Array(BURST + 1).fill('X-Forwarded-For: 203.0.113.1')
    expect(await statuses(behindProxy, first)).toEqual([...Array(BURST).fill(401), 429])
    expect(await statuses(behindProxy, ['X-Forwarded-For: 203.0.113.2'])).toEqual([401])
    // What the client wrote before the proxy's own entry.
    expect(await statuses(behindProxy, ['X-Forwarded-For: 203.0.113.9, 203.0.113.1'])).toEqual([429])
  })

  test('every spelling of an IPv6 address, and every address of its /64, is one client', async () => {
    const spellings = [
      '2001:db8:1:2::1',
      '2001:DB8:1:2:0:0:0:1',
      '2001:0db8:0001:0002:0000:0000:0000:0001',
      '2001:db8:1:2:ffff:ffff:ffff:ffff',
      '2001:db8:1:2::dead:beef',
    ].map((ip) => `X-Forwarded-For: ${ip}`)
    expect(await statuses(behindProxy, spellings)).toEqual(Array(BURST).fill(401))
    expect(await statuses(behindProxy, ['X-Forwarded-For: 2001:db8:1:2:a::'])).toEqual([429])
    expect(await statuses(behindProxy, ['X-Forwarded-For: 2001:db8:1:3::1'])).toEqual([401])
  })

  test('an IPv4 address and its IPv4-mapped IPv6 address are one client', async () => {
    const mixed = Array.from({ length: BURST }, (_, index) =>
      index % 2 === 0 ? 'X-Forwarded-For: 203.0.113.77' : 'X-Forwarded-For: ::ffff:203.0.113.77',
    )
    expect(await statuses(behindProxy, mixed)).toEqual(Array(BURST).fill(401))
    expect(await statuses(behindProxy, ['X-Forwarded-For: ::ffff:cb00:714d'])).toEqual([429])
  })
})

describe('clients who guess through a gateway', () => {
  async function verify(credential: string, ip?: string) {
    const context = ip === undefined ? {} : { context: { ip } }
    return (await direct.call('POST', '/v1/verify', { body: { credential, ...context } })).body
  }

  test('are answered `rate_limited`, while a valid credential from the same address passes', async () => {
    const key = await direct.call('POST', '/v1/keys', { body: { name: 'customer' } })
    const codes: string[] = []
    for (let index = 0; index <= BURST; index++) codes.push((await verify('nonsense', '192.0.2.50')).code)
    expect(codes).toEqual([...Array(BURST).fill('malformed'), 'rate_limited'])
    expect(await verify('nonsense', '192.0.2.50')).toMatchObject({ ok: false, status: 429 })
    expect(await verify(key.body.credential, '192.0.2.50')).toMatchObject({ ok: true })
    expect((await verify('nonsense', '192.0.2.51')).code).toBe('malformed')
  })

  test('without a client address nobody is to blame, and nobody is slowed', async () => {
    for (let index = 0; index < BURST * 3; index++) expect((await verify('nonsense')).code).toBe('malformed')
  })

  test('an expired or revoked credential is no guess', async () => {
    const { body } = await direct.call('POST', '/v1/keys', { body: { name: 'revoked' } })
    await direct.call('POST', `/v1/keys/${body.id}/revoke`)
    for (let index = 0; index < BURST * 2; index++) {
      expect((await verify(body.credential, '192.0.2.60')).code).toBe('revoked')
    }
  })
})

test('a caller that has too many requests under way is refused further ones, and no other caller is', async () => {
  const claviger = await startTestServer({ limits: { maxInFlightPerCaller: 2 } })
  const input = { name: 'other', preset: 'backend', grants: ['*:*'] }
  const { body } = await claviger.call('POST', '/v1/management-keys', { body: input })
  const [answers, other] = await Promise.all([
    Promise.all(
      Array.from({ length: 40 }, () => claviger.call('POST', '/v1/keys', { body: { name: 'many' } })),
    ),
    claviger.call('POST', '/v1/keys', { key: body.credential, body: { name: 'one' } }),
  ])
  const refused = answers.filter(({ status }) => status !== 201)
  expect(refused.length).toBeGreaterThan(0)
  expect(refused[0]).toMatchObject({ status: 429, body: { code: 'too_many_requests' } })
  expect(other.status).toBe(201)
  expect((await claviger.call('GET', '/v1/keys')).status).toBe(200)
  await claviger.close()
})

test('what is refused for want of a place has not begun, on the short way too, and harms nobody by failing', async () => {
  const claviger = await startTestServer({ limits: { maxInFlightPerCaller: 1 } })
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  const good = { subject: 'ada', audience: 'https://api.example.com' }
  expect((await claviger.call('POST', '/v1/tokens', { body: good })).status).toBe(201)
  // Signatures hold the places while what fails at its first look at the database arrives.
  const bad = { ...good, roles: ['nobody'] }
  const statuses = new Set<number>()
  for (let round = 0; round < 20 && !statuses.has(429); round++) {
    const answers = await Promise.all(
      Array.from({ length: 80 }, (_, index) =>
        claviger.call('POST', '/v1/tokens', { body: index % 2 === 0 ? good : bad }),
      ),
    )
    for (const { status } of answers) statuses.add(status)
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
  expect(statuses).toContain(429)
  expect((await claviger.call('POST', '/v1/tokens', { body: good })).status).toBe(201)
  await claviger.close()
})
