import { createVerifier, type EdgeVerifier, type EdgeVerifierOptions } from '@claviger/verify'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SYSTEM_CLOCK } from '../../verify/src/edge/edge-clock.ts'
import { startTestServer, type TestServer } from './test-server.ts'

let claviger: TestServer
let edgeKey: string

beforeAll(async () => {
  claviger = await startTestServer()
  const made = await claviger.call('POST', '/v1/management-keys', {
    body: { name: 'edge', project: 'default', preset: 'edge' },
  })
  edgeKey = made.body.credential
})
afterAll(() => claviger.close())

const open: EdgeVerifier[] = []
afterEach(() => Promise.all(open.splice(0).map((verifier) => verifier.close())))

async function openVerifier(options: Partial<EdgeVerifierOptions> = {}): Promise<EdgeVerifier> {
  const verifier = await createVerifier({ url: claviger.url, key: edgeKey, ...options })
  open.push(verifier)
  return verifier
}

function openVerifiers(count: number): Promise<EdgeVerifier[]> {
  return Promise.all(Array.from({ length: count }, () => openVerifier()))
}

async function makeKey(body: object) {
  const { body: key } = await claviger.call('POST', '/v1/keys', { body: { name: 'limited', ...body } })
  return key as { readonly id: string; readonly credential: string }
}

async function outcomeOf(verifier: EdgeVerifier, credential: string, cost = 1): Promise<string> {
  const verdict = await verifier.verify({ credential, cost })
  return verdict.ok ? 'ok' : verdict.code
}

async function outcomeHere(credential: string): Promise<string> {
  const { body } = await claviger.call('POST', '/v1/verify', { body: { credential } })
  return body.ok ? 'ok' : body.code
}

function count(outcomes: readonly string[], outcome: string): number {
  return outcomes.filter((one) => one === outcome).length
}

/** `fetch`, but the first answers of a path never arrive. */
function losing(path: string, answers: number): typeof fetch {
  let left = answers
  return async (input, init) => {
    const answer = await fetch(input, init)
    if (!String(input).endsWith(path) || left === 0) return answer
    left--
    await answer.arrayBuffer()
    throw new TypeError('The answer was lost.')
  }
}

describe('limits at several verifiers', () => {
  test('Q3: the sum of what they and the server let pass never exceeds the limit', async () => {
    const verifiers = await openVerifiers(4)
    const { credential } = await makeKey({ limits: [{ name: 'a-minute', limit: 100, windowSeconds: 60 }] })
    const calls = Array.from({ length: 200 }, (_, i) => {
      const verifier = verifiers[i % 5]
      return verifier === undefined ? outcomeHere(credential) : outcomeOf(verifier, credential)
    })
    const outcomes = await Promise.all(calls)
    expect(new Set(outcomes)).toEqual(new Set(['ok', 'rate_limited']))
    expect(count(outcomes, 'ok')).toBeLessThanOrEqual(100)
    expect(count(outcomes, 'ok')).toBeGreaterThan(80)
  })

  test('S2, Q3: of 50 parallel calls exactly as many pass as a quota without refill has units', async () => {
    const verifiers = await openVerifiers(4)
    const { credential } = await makeKey({ quota: { limit: 20, refill: null } })
    const calls = Array.from({ length: 50 }, (_, i) => verifiers[i % 4] as EdgeVerifier)
    const outcomes = await Promise.all(calls.map((verifier) => outcomeOf(verifier, credential)))
    expect(count(outcomes, 'ok')).toBe(20)
    expect(count(outcomes, 'quota_exceeded')).toBe(30)
  })

  test('Q1: the limits of a key and of its subject are spent together; a refusal burns neither', async () => {
    await claviger.call('PUT', '/v1/subjects/team', { body: { quota: { limit: 3, refill: null } } })
    const limits = [{ name: 'an-hour', limit: 100, windowSeconds: 3600 }]
    const [one, other] = [await makeKey({ subject: 'team', limits }), await makeKey({ subject: 'team' })]
    const verifier = await openVerifier()
    expect(await outcomeOf(verifier, one.credential)).toBe('ok')
    expect(await outcomeOf(verifier, other.credential, 2)).toBe('ok')
    expect(await outcomeOf(verifier, one.credential)).toBe('quota_exceeded')
    expect(await outcomeOf(verifier, other.credential)).toBe('quota_exceeded')
    const verdict = await verifier.verify({ credential: one.credential, cost: 0 })
    expect(verdict).toMatchObject({
      ok: true,
      limits: [
        { of: 'key', name: 'an-hour', limit: 100, remaining: 99 },
        { of: 'subject', name: 'quota', limit: 3, remaining: 0, resetSeconds: null },
      ],
    })
  })

  test('Q3: what an answer that was lost had set aside counts as spent, and nothing is let pass twice', async () => {
    const { credential } = await makeKey({ limits: [{ name: 'an-hour', limit: 20, windowSeconds: 3600 }] })
    const verifiers = [await openVerifier({ fetch: losing('/v1/limits/lease', 5) }), await openVerifier()]
    const outcomes: string[] = []
    for (let i = 0; i < 60; i++) outcomes.push(await outcomeOf(verifiers[i % 2] as EdgeVerifier, credential))
    expect(count(outcomes, 'ok')).toBeLessThanOrEqual(20)
    expect(count(outcomes, 'ok')).toBeGreaterThan(5)
  })

  test('Q3: what a verifier that closes had left is put back for the others', async () => {
    const { credential } = await makeKey({ limits: [{ name: 'an-hour', limit: 100, windowSeconds: 3600 }] })
    const first = await openVerifier()
    expect(await outcomeOf(first, credential)).toBe('ok')
    await first.close()
    const { body } = await claviger.call('POST', '/v1/verify', { body: { credential, cost: 0 } })
    expect(body.limits[0].remaining).toBe(99)
  })

  test('a verifier whose clock is ahead of a period answers unavailable, and uses up nothing of the others', async () => {
    const { credential } = await makeKey({ limits: [{ name: 'an-hour', limit: 100, windowSeconds: 3600 }] })
    const clock = { ...SYSTEM_CLOCK, wallMs: () => Date.now() + 86_400_000 }
    const verifier = await openVerifier({ clock })
    for (let asked = 0; asked < 20; asked++) expect(await outcomeOf(verifier, credential)).toBe('unavailable')
    const remaining = async () =>
      (await claviger.call('POST', '/v1/verify', { body: { credential, cost: 0 } })).body.limits[0].remaining
    await expect.poll(remaining).toBe(100)
  })

  test('nobody puts back more than was set aside for it, nor what was set aside for another', async () => {
    const { credential, id } = await makeKey({ quota: { limit: 10, refill: null } })
    expect(await outcomeHere(credential)).toBe('ok')
    const part = { of: 'key', id, name: 'quota', units: 5, endsAtMs: null }
    const put = (verifier: string) =>
      claviger.call('POST', '/v1/limits/lease', {
        key: edgeKey,
        body: { verifier: { id: verifier }, calls: [], returned: [part] },
      })
    expect((await put('v'.repeat(16))).status).toBe(200)
    const { body } = await claviger.call('POST', '/v1/verify', { body: { credential, cost: 0 } })
    expect(body.limits[0].remaining).toBe(9)
  })

  test('a limit that was changed counts as it is now', async () => {
    const verifier = await openVerifier()
    const { id, credential } = await makeKey({ quota: { limit: 1, refill: null } })
    expect(await outcomeOf(verifier, credential)).toBe('ok')
    expect(await outcomeOf(verifier, credential)).toBe('quota_exceeded')
    await claviger.call('PATCH', `/v1/keys/${id}`, { body: { quota: { limit: 3, refill: null } } })
    await expect.poll(() => outcomeOf(verifier, credential), { timeout: 5_000 }).toBe('ok')
    expect(await outcomeOf(verifier, credential)).toBe('ok')
    expect(await outcomeOf(verifier, credential)).toBe('quota_exceeded')
  })

  test('F3: an edge key of one project sees and spends no limit of another', async () => {
    await claviger.call('POST', '/v1/projects', { body: { name: 'apart' } })
    const { body: made } = await claviger.call('POST', '/v1/management-keys', {
      body: { name: 'edge apart', project: 'apart', preset: 'edge' },
    })
    const { id } = await makeKey({ quota: { limit: 10, refill: null } })
    const { body } = await claviger.call('POST', '/v1/limits/lease', {
      key: made.credential,
      body: {
        verifier: { id: 'v'.repeat(16) },
        calls: [{ holders: [{ kind: 'key', id }], cost: 1, wanted: 5 }],
      },
    })
    expect(body).toEqual({ calls: [{ parts: [] }] })
  })
})

describe('usage of verifiers in other processes', () => {
  async function verificationsOf(keyId: string): Promise<number> {
    const { body } = await claviger.call('GET', `/v1/usage?keyId=${keyId}`)
    return body.items.reduce((sum: number, { count: one }: { count: number }) => sum + one, 0)
  }

  test('is counted once, though the answer to a report was lost again and again', async () => {
    const verifier = await openVerifier({ fetch: losing('/v1/usage', 2) })
    const { id, credential } = await makeKey({})
    for (let i = 0; i < 7; i++) expect(await outcomeOf(verifier, credential)).toBe('ok')
    await expect.poll(() => verificationsOf(id), { timeout: 10_000 }).toBe(7)
    await verifier.close()
    expect(await verificationsOf(id)).toBe(7)
    const { body } = await claviger.call('GET', `/v1/keys/${id}`)
    expect(body.lastUsedAt).not.toBeNull()
  })

  test('of the last moment is reported when the verifier closes', async () => {
    const verifier = await openVerifier()
    const { id, credential } = await makeKey({})
    await outcomeOf(verifier, credential)
    await verifier.close()
    expect(await verificationsOf(id)).toBe(1)
    expect(verifier.statistics().unreportedUses).toBe(0)
  })

  test('a batch counts once for its project, and marks no other project’s key as used', async () => {
    const { body: made } = await claviger.call('POST', '/v1/management-keys', {
      body: { name: 'edge apart', project: 'apart', preset: 'edge' },
    })
    const { id } = await makeKey({})
    const counted = { kind: 'key', keyId: id, subject: '', outcome: 'ok', tags: '[]', ip: '' }
    const report = {
      verifier: { id: 'v'.repeat(16) },
      batch: 'b'.repeat(16),
      counts: [{ ...counted, count: 3, atMs: Date.now() + 86_400_000 }],
    }
    const send = (key: string) => claviger.call('POST', '/v1/usage', { key, body: report })
    expect((await send(made.credential)).body).toEqual({ counted: true })
    expect((await send(made.credential)).body).toEqual({ counted: false })
    expect((await claviger.call('GET', `/v1/keys/${id}`)).body.lastUsedAt).toBeNull()
    expect(await verificationsOf(id)).toBe(0)
    expect((await send(edgeKey)).body).toEqual({ counted: true })
    expect(await verificationsOf(id)).toBe(3)
  })

  test('what is no count is refused, and says why', async () => {
    const { body, status } = await claviger.call('POST', '/v1/usage', {
      key: edgeKey,
      body: {
        verifier: { id: 'v'.repeat(16) },
        batch: 'c'.repeat(16),
        counts: [
          {
            kind: 'key',
            keyId: 'x',
            subject: '',
            outcome: 'ok',
            tags: 'nonsense',
            ip: '',
            count: 1,
            atMs: 0,
          },
        ],
      },
    })
    expect(status).toBe(400)
    expect(body.detail).toContain('tags')
  })
})
