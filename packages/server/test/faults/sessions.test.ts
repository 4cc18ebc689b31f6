import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ChildServer, type SourceChange, startServer } from './child-server.ts'

const AUDIENCE = 'https://api.example.com'
const MINUTE_MS = 60_000

interface Tokens {
  readonly id: string
  readonly accessToken: string
  readonly refreshToken: string
}

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-sessions-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function begin(server: ChildServer): Promise<Tokens> {
  const body = { subject: 'alice', audience: AUDIENCE, permissions: ['documents:read'] }
  const answer = await server.call('POST', '/v1/sessions', body)
  expect(answer.status).toBe(201)
  return answer.body
}

function refresh(server: ChildServer, { refreshToken }: Tokens) {
  return server.call('POST', '/v1/sessions/refresh', { refreshToken })
}

async function outcome(server: ChildServer, { accessToken }: Tokens): Promise<string> {
  const body = { credential: accessToken, require: { audience: AUDIENCE } }
  const answer = await server.call('POST', '/v1/verify', body)
  return answer.body.ok ? 'ok' : answer.body.code
}

/** Dies of kill -9 once a refresh is stored, and before anybody is answered. */
const DIE_BEFORE_THE_ANSWER: SourceChange = {
  file: 'engine/src/commands/writer-thread.ts',
  from: '      const outcomes = await runBatch(machine, batch)\n',
  to: `      const outcomes = await runBatch(machine, batch)
      if (batch.some(({ name }) => name === 'refresh-session')) process.kill(process.pid, 'SIGKILL')
`,
}

/** A machine that needs longer than the grace to start the next server would tell nothing of the replay. */
const PATIENT: SourceChange = {
  file: 'engine/src/sessions/judge-refresh.ts',
  from: 'const GRACE_MS = 30_000',
  to: 'const GRACE_MS = 300_000',
}

test('S1: a refresh that kill -9 cut off between its commit and its answer is healed by asking again', {
  timeout: 2 * MINUTE_MS,
}, async () => {
  const dying = await startServer(folder, { changes: [DIE_BEFORE_THE_ANSWER] })
  const first = await begin(dying)
  await expect(refresh(dying, first)).rejects.toThrow()
  await dying.kill()

  const server = await startServer(folder, { changes: [PATIENT] })
  const session = await server.call('GET', `/v1/sessions/${first.id}`)
  // It was stored: what was not would be no test.
  expect(session.body.refreshedAt).not.toBe(session.body.createdAt)
  const healed = await refresh(server, first)
  expect(healed.status).toBe(200)
  const again = await refresh(server, first)
  expect(again.body.refreshToken).toBe(healed.body.refreshToken)
  const next = await refresh(server, healed.body)
  expect(next.status).toBe(200)
  expect(await outcome(server, next.body)).toBe('ok')
  await server.stop()
})

test('S1, S2: a restart forgets neither which refresh tokens were used nor which session has ended', {
  timeout: 2 * MINUTE_MS,
}, async () => {
  const before = await startServer(folder)
  const [living, reused, ended] = await Promise.all([begin(before), begin(before), begin(before)])
  const second = (await refresh(before, living)).body
  const third = (await refresh(before, (await refresh(before, reused)).body)).body
  expect((await before.call('POST', `/v1/sessions/${ended.id}/revoke`)).status).toBe(200)
  await before.kill()

  const server = await startServer(folder)
  expect(await outcome(server, ended)).toBe('revoked')
  expect(await refresh(server, ended)).toMatchObject({ status: 409, body: { code: 'session_ended' } })
  expect(await outcome(server, third)).toBe('ok')
  expect(await refresh(server, reused)).toMatchObject({ status: 409, body: { code: 'refresh_token_reused' } })
  expect(await outcome(server, third)).toBe('revoked')
  const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(server, second)))
  expect(new Set(answers.map(({ status, body }) => `${status} ${body.refreshToken}`)).size).toBe(1)
  expect(await outcome(server, answers[0]?.body)).toBe('ok')
  await server.kill()

  const last = await startServer(folder)
  expect(await outcome(last, third)).toBe('revoked')
  await last.stop()
})
