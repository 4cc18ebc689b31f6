import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startServer } from './child-server.ts'

const LIMIT = 60
const CALLS_A_LIFE = 8
const LIVES = 12

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-limits-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('Q2: kill -9 with spends in flight grants no unit of a quota or of a long window twice', {
  timeout: 120_000,
}, async () => {
  const granted = [0, 0]
  let credentials: readonly string[] = []
  for (let life = 0; life < LIVES; life++) {
    const server = await startServer(folder)
    if (life === 0) {
      const fields = [
        { quota: { limit: LIMIT, refill: null } },
        { limits: [{ name: 'per-day', limit: LIMIT, windowSeconds: 86_400 }] },
      ]
      const keys = fields.map((limited) => server.call('POST', '/v1/keys', { name: 'limited', ...limited }))
      credentials = (await Promise.all(keys)).map(({ body }) => body.credential)
    }
    const calls = credentials.flatMap((credential, index) =>
      Array.from({ length: CALLS_A_LIFE }, async (_, call) => {
        const verdict = await server.verdict(credential)
        if (verdict === 'ok') granted[index] = (granted[index] ?? 0) + 1
        else expect(['quota_exceeded', 'rate_limited']).toContain(verdict)
        return call
      }),
    )
    // The kill comes once a few are answered; the others are in flight or were never read.
    const settled = Promise.allSettled(calls)
    await Promise.race(calls)
    await server.kill()
    const outcomes = await settled
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(String(outcome.reason)).not.toContain('AssertionError')
    }
  }
  const server = await startServer(folder)
  for (const [index, credential] of credentials.entries()) {
    for (let call = 0; call <= LIMIT; call++) {
      if ((await server.verdict(credential)) === 'ok') granted[index] = (granted[index] ?? 0) + 1
    }
    expect(['quota_exceeded', 'rate_limited']).toContain(await server.verdict(credential))
  }
  await server.stop()
  for (const units of granted) {
    expect(units).toBeGreaterThan(0)
    expect(units).toBeLessThanOrEqual(LIMIT)
  }
})
