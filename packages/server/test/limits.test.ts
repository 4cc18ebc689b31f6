import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from './test-server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

test('Q1, S2: over HTTP exactly one of 50 parallel verifications gets the last unit, and all are answered 200', async () => {
  const { body: key } = await server.call('POST', '/v1/keys', {
    body: {
      name: 'limited',
      limits: [{ name: 'per-minute', limit: 100, windowSeconds: 60 }],
      quota: { limit: 1, refill: 'monthly' },
    },
  })
  const answers = await Promise.all(
    Array.from({ length: 50 }, () =>
      server.call('POST', '/v1/verify', { body: { credential: key.credential } }),
    ),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  const passed = answers.filter(({ body }) => body.ok)
  expect(passed).toHaveLength(1)
  const refused = answers.find(({ body }) => !body.ok)
  expect(refused?.body).toMatchObject({ code: 'quota_exceeded', status: 429, id: key.id })
  expect(refused?.body.retryAfterSeconds).toBeGreaterThan(0)
  const look = await server.call('POST', '/v1/verify', { body: { credential: key.credential, cost: 0 } })
  expect(look.body.limits).toMatchObject([
    { of: 'key', name: 'per-minute', limit: 100, remaining: 99 },
    { of: 'key', name: 'quota', limit: 1, remaining: 0 },
  ])
})

test('a cost that is no whole number of units is refused, whatever is verified', async () => {
  for (const cost of [-1, 0.5, '1', null, 1e300]) {
    const { status } = await server.call('POST', '/v1/verify', { body: { credential: 'x', cost } })
    expect(status).toBe(400)
  }
})
