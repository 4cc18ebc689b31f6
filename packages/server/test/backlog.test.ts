import { Agent, request } from 'node:http'
import { expect, test } from 'vitest'
import { startTestServer } from './test-server.ts'

const CONNECTIONS = 40
const EACH = 10

test('connections that wait unread are all served, verifications among them, and the server still closes', async () => {
  const claviger = await startTestServer({ limits: { maxRead: 2, closeGraceMs: 600_000 } })
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const headers = { authorization: `Bearer ${claviger.rootKey}`, 'content-type': 'application/json' }
  const post = (path: string, body: object): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const sent = request(new URL(path, claviger.url), { method: 'POST', agent, headers }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode))
      })
      sent.on('error', reject).end(JSON.stringify(body))
    })

  // The agent gives its connections to whoever comes next: each carries creations and verifications.
  const work = Array.from({ length: CONNECTIONS }, async (_, worker) => {
    const statuses: (number | undefined)[] = []
    for (let index = 0; index < EACH; index++) {
      const isCreation = (worker + index) % 3 > 0
      statuses.push(
        isCreation
          ? await post('/v1/keys', { name: `k${worker}-${index}` })
          : await post('/v1/verify', { credential: 'no key' }),
      )
    }
    return statuses
  })
  const statuses = (await Promise.all(work)).flat()

  expect(statuses.filter((status) => status === 201)).toHaveLength(
    Array.from(
      { length: CONNECTIONS * EACH },
      (_, call) => (Math.floor(call / EACH) + (call % EACH)) % 3,
    ).filter((rest) => rest > 0).length,
  )
  expect(statuses.filter((status) => status === 200 || status === 201)).toHaveLength(CONNECTIONS * EACH)
  const last = Array.from({ length: CONNECTIONS }, () => post('/v1/keys', { name: 'last' }))
  await Promise.race(last)
  // Most of the others wait unread; what was sent in good faith is answered, or its connection ends.
  const closed = claviger.server.close()
  const outcomes = await Promise.allSettled(last)
  await closed
  for (const outcome of outcomes) if (outcome.status === 'fulfilled') expect(outcome.value).toBe(201)
  agent.destroy()
  await claviger.close()
})
