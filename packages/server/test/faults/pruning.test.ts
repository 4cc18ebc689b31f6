import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ChildServer, type SourceChange, startServer } from './child-server.ts'
import { chooseSeed, seededRandom } from './seed.ts'

const LIVES = 3
const CLIENTS = 4
const AUDIENCE = 'https://api.example.com'
const HELD_SECONDS = 86_400

/** Forgets without pause, a little at once, and at the end of a session already. */
const EAGER: readonly SourceChange[] = [
  { file: 'engine/src/storage/pruner.ts', from: 'INTERVAL_MS = 60_000', to: 'INTERVAL_MS = 1' },
  { file: 'engine/src/sessions/prune-sessions.ts', from: 'DAY_MS = 86_400_000', to: 'DAY_MS = 0' },
  { file: 'engine/src/sessions/prune-sessions.ts', from: 'TOKENS_AT_ONCE = 100', to: 'TOKENS_AT_ONCE = 9' },
  { file: 'engine/src/limits/prune-limit-counters.ts', from: 'DAY_MS = 86_400_000', to: 'DAY_MS = 0' },
]

interface Session {
  readonly id: string
  readonly accessToken: string
  readonly refreshToken: string
}

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-pruning-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function begin(server: ChildServer, idleSeconds: number): Promise<Session> {
  const body = { subject: `user-${idleSeconds}`, audience: AUDIENCE, idleSeconds, accessTtlSeconds: 1 }
  const answer = await server.call('POST', '/v1/sessions', body)
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return answer.body
}

async function refresh(server: ChildServer, { refreshToken }: Session) {
  return server.call('POST', '/v1/sessions/refresh', { refreshToken })
}

function rowsOf(table: string): number {
  const database = new DatabaseSync(join(folder, 'claviger.db'), { readOnly: true, timeout: 5_000 })
  const row = database.prepare(`SELECT count(*) AS held FROM ${table}`).get()
  database.close()
  return Number(row?.held)
}

test('kill -9 while rows are forgotten loses no session that lives and no unit that was spent', {
  timeout: 60_000,
}, async () => {
  const random = seededRandom(chooseSeed())
  const lasting: Session[] = []
  let begun = 0
  let spent = 0
  let key = { id: '', credential: '' }

  /** Begins sessions that are over in a second, and refreshes them now and then, until the server is gone. */
  async function runClient(server: ChildServer): Promise<void> {
    try {
      for (;;) {
        let session = await begin(server, 1)
        begun += 1
        for (let times = random() * 4; times > 1; times--) {
          const next = await refresh(server, session)
          if (next.status === 200) session = next.body
        }
        if ((await server.verdict(key.credential)) === 'ok') spent += 1
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
  }

  for (let life = 0; life < LIVES; life++) {
    const server = await startServer(folder, { changes: EAGER })
    if (life === 0) {
      const limits = [{ name: 'per-day', limit: 1_000_000, windowSeconds: HELD_SECONDS }]
      key = (await server.call('POST', '/v1/keys', { name: 'limited', limits })).body
    }
    lasting.push(await begin(server, HELD_SECONDS))
    const traffic = Array.from({ length: CLIENTS }, () => runClient(server))
    await sleep(1_100 + random() * 300)
    await server.kill()
    await Promise.all(traffic)
  }

  const server = await startServer(folder, { changes: EAGER })
  while (rowsOf('sessions') > LIVES) await sleep(100)
  expect(rowsOf('refresh_tokens')).toBe(LIVES)
  for (const session of lasting) expect((await refresh(server, session)).status).toBe(200)
  const { body } = await server.call('POST', '/v1/verify', { credential: key.credential, cost: 0 })
  const [perDay] = body.limits
  expect(perDay.limit - perDay.remaining).toBeGreaterThanOrEqual(spent)
  await server.stop()
  console.log(JSON.stringify({ begun, spent }))
  expect(begun).toBeGreaterThan(LIVES * 10)
  expect(spent).toBeGreaterThan(0)
})
