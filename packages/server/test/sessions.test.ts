import { manualClock } from '@claviger/engine'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, startTestServer, type TestServer } from './test-server.ts'

const AUDIENCE = 'https://api.example.com'
const MINUTE_MS = 60_000

interface Tokens {
  readonly id: string
  readonly accessToken: string
  readonly refreshToken: string
}

const clock = manualClock(Date.parse('2027-01-01T00:00:00Z'))
let claviger: TestServer

beforeAll(async () => {
  claviger = await startTestServer({ clock })
})
afterAll(() => claviger.close())

async function begin(subject: string): Promise<Tokens> {
  const body = { subject, audience: AUDIENCE, permissions: ['documents:read'] }
  const answer = await claviger.call('POST', '/v1/sessions', { body })
  expect(answer.status).toBe(201)
  return answer.body
}

function refresh({ refreshToken }: Tokens): Promise<Answer> {
  return claviger.call('POST', '/v1/sessions/refresh', { body: { refreshToken } })
}

async function refreshed(tokens: Tokens): Promise<Tokens> {
  const answer = await refresh(tokens)
  expect(answer.status).toBe(200)
  return answer.body
}

async function outcome({ accessToken }: Tokens): Promise<string> {
  const body = { credential: accessToken, require: { audience: AUDIENCE } }
  const answer = await claviger.call('POST', '/v1/verify', { body })
  return answer.body.ok ? 'ok' : answer.body.code
}

test('S1: a stolen refresh token that is used after its owner’s ends the session, and the access tokens of both are refused at the next call', async () => {
  const stolen = await begin('alice')
  // The thief copies the refresh token; the owner goes on with it, and minutes later the thief comes.
  const owner = await refreshed(stolen)
  clock.advance(5 * MINUTE_MS)
  expect(await Promise.all([stolen, owner].map(outcome))).toEqual(['ok', 'ok'])
  expect(await refresh(stolen)).toMatchObject({ status: 409, body: { code: 'refresh_token_reused' } })
  expect(await Promise.all([stolen, owner].map(outcome))).toEqual(['revoked', 'revoked'])
  expect(await refresh(owner)).toMatchObject({ status: 409, body: { code: 'session_ended' } })
})

test('S1: a stolen refresh token that is used before its owner’s ends the session as soon as the owner comes, and the access tokens of both are refused at the next call', async () => {
  const owner = await begin('bob')
  const thief = await refreshed(owner)
  clock.advance(5 * MINUTE_MS)
  const thiefAgain = await refreshed(thief)
  expect(await refresh(owner)).toMatchObject({ status: 409, body: { code: 'refresh_token_reused' } })
  expect(await Promise.all([owner, thief, thiefAgain].map(outcome))).toEqual([
    'revoked',
    'revoked',
    'revoked',
  ])
  expect(await refresh(thiefAgain)).toMatchObject({ status: 409, body: { code: 'session_ended' } })
})

test('S2: 50 refreshes of one token at once are all answered with the same successor, and the session goes on', async () => {
  const first = await begin('carol')
  const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(first)))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  const [one] = answers
  expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1)
  expect(new Set(await Promise.all(answers.map(({ body }) => outcome(body))))).toEqual(new Set(['ok']))
  expect(await outcome(await refreshed(one?.body))).toBe('ok')
})

test('S1: of 50 uses of a token that was used long before one ends the session, and none is answered with tokens', async () => {
  const first = await begin('dave')
  const second = await refreshed(first)
  clock.advance(MINUTE_MS)
  const codes = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const answer = await refresh(first)
      expect(answer.body).not.toHaveProperty('refreshToken')
      return answer.body.code
    }),
  )
  expect(codes.filter((code) => code === 'refresh_token_reused').length).toBeGreaterThan(0)
  expect(codes.filter((code) => code !== 'refresh_token_reused' && code !== 'session_ended')).toEqual([])
  expect(await outcome(second)).toBe('revoked')
  const entries = await claviger.call('GET', '/v1/audit?action=session.reuse&limit=200')
  expect(entries.body.items.filter(({ target }: { target: string }) => target === first.id)).toHaveLength(1)
})

test('a refresh token is in no log line, whatever is done with it', async () => {
  const first = await begin('erin')
  const second = await refreshed(first)
  const body = second.refreshToken
  await claviger.call('POST', '/v1/sessions/refresh', { body })
  await claviger.call('POST', '/v1/sessions/refresh', { body: { refreshToken: body, unknown: body } })
  await claviger.call('GET', `/v1/sessions/${body}`)
  await claviger.call('GET', `/v1/sessions?subject=${body}`)
  await claviger.call('GET', '/v1/keys', { key: body })
  const log = claviger.lines.join('')
  expect(log).toContain('/v1/sessions')
  for (const { refreshToken } of [first, second]) expect(log).not.toContain(refreshToken.slice(-40))
})

test('a refresh token opens nothing: neither the management API nor what a verifier guards', async () => {
  const { refreshToken } = await begin('frank')
  expect((await claviger.call('GET', '/v1/keys', { key: refreshToken })).status).toBe(401)
  const body = { credential: refreshToken, require: { audience: 'any' } }
  expect((await claviger.call('POST', '/v1/verify', { body })).body).toMatchObject({
    ok: false,
    code: 'unknown',
  })
})
