import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ChildServer, startServer } from './child-server.ts'
import { chooseSeed, seededRandom } from './seed.ts'

const LIVES = 3
const CLIENTS = 3
const EDGE_KEY = 'key_of_an_edge'
/** About as long as usage waits to be written, so that a kill falls before, into and after that. */
const MAX_LIFE_MS = 1_500

/** What a verifier in another process has counted: it is sent until it is acknowledged. */
interface Batch {
  readonly id: string
  readonly subject: string
  readonly count: number
  acknowledged: boolean
}

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-usage-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function report(server: ChildServer, batch: Batch): Promise<void> {
  const use = { kind: 'key', keyId: EDGE_KEY, subject: batch.subject, outcome: 'ok', tags: '[]', ip: '' }
  const { status, body } = await server.call('POST', '/v1/usage', {
    verifier: { id: 'edge-verifier-of-the-test' },
    batch: batch.id,
    counts: [{ ...use, count: batch.count, atMs: Date.now() }],
  })
  expect(status, JSON.stringify(body)).toBe(200)
  batch.acknowledged = true
}

async function usageBy(server: ChildServer, what: 'outcome' | 'subject', keyId: string) {
  const query = `keyId=${keyId}&groupBy=${what}&resolution=day&limit=10000`
  const { status, body } = await server.call('GET', `/v1/usage?${query}`)
  expect(status).toBe(200)
  return new Map<string, number>(
    body.items.map((item: Record<string, string | number>) => [item[what], item.count]),
  )
}

test('kill -9 under load: usage counts no verification that was not asked for, and each reported batch once (C6)', {
  timeout: 60_000,
}, async () => {
  const random = seededRandom(chooseSeed())
  const batches: Batch[] = []
  let [asked, unanswered] = [0, 0]
  let key = { id: '', credential: '' }

  /** Verifies and reports without pause, until the server is gone. */
  async function runClient(server: ChildServer): Promise<void> {
    try {
      for (;;) {
        asked += 1
        expect(await server.verdict(key.credential)).toBe('ok')
        const number = batches.length
        const batch = {
          id: randomBytes(16).toString('base64url'),
          subject: `batch-${number}`,
          count: 1 + Math.floor(random() * 9),
          acknowledged: false,
        }
        batches.push(batch)
        await report(server, batch)
        // One that was answered is sent again now and then: the answer may have been lost on its way.
        if (random() < 0.1) await report(server, batch)
      }
    } catch (error) {
      if (error instanceof TypeError) unanswered += 1
      else throw error
    }
  }

  for (let life = 0; life < LIVES; life++) {
    const server = await startServer(folder)
    if (life === 0) key = (await server.call('POST', '/v1/keys', { name: 'used' })).body
    for (const batch of batches) if (!batch.acknowledged) await report(server, batch)
    const traffic = Array.from({ length: CLIENTS }, () => runClient(server))
    await sleep(200 + random() * MAX_LIFE_MS)
    await server.kill()
    await Promise.all(traffic)
  }

  const server = await startServer(folder)
  for (const batch of batches) if (!batch.acknowledged) await report(server, batch)
  await server.stop()
  const last = await startServer(folder)
  const counted = (await usageBy(last, 'outcome', key.id)).get('ok') ?? 0
  const byBatch = await usageBy(last, 'subject', EDGE_KEY)
  await last.stop()
  console.log(JSON.stringify({ asked, counted, batches: batches.length, unanswered }))
  expect(unanswered).toBeGreaterThan(0)
  expect(counted).toBeGreaterThan(0)
  expect(counted).toBeLessThanOrEqual(asked)
  expect(batches.length).toBeGreaterThan(LIVES * 10)
  expect(byBatch).toEqual(new Map(batches.map(({ subject, count }) => [subject, count])))
})
