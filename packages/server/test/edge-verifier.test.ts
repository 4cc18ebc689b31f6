import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createVerifier, type EdgeEvent, type EdgeVerifier, type EdgeVerifierOptions } from '@claviger/verify'
import { snapshotFile } from '@claviger/verify/snapshot-file'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { FaultyProxy } from './faulty-proxy.ts'
import { startTestServer, type TestServer } from './test-server.ts'

const AUDIENCE = 'https://api.acme.com'

let claviger: TestServer
let proxy: FaultyProxy
let edgeKey: string

beforeAll(async () => {
  claviger = await startTestServer()
  proxy = await FaultyProxy.open(claviger.port)
  const made = await claviger.call('POST', '/v1/management-keys', {
    body: { name: 'edge', project: 'default', preset: 'edge' },
  })
  edgeKey = made.body.credential
})
afterAll(async () => {
  await proxy.close()
  await claviger.close()
})

const open: EdgeVerifier[] = []
afterEach(async () => {
  proxy.mend()
  proxy.release()
  await Promise.all(open.splice(0).map((verifier) => verifier.close()))
})

/** The clocks of a machine that somebody sets, that sleeps and that is stopped. */
function skewableClock() {
  const skew = { wallMs: 0, monotonicMs: 0 }
  return {
    skew,
    wallMs: () => Date.now() + skew.wallMs,
    monotonicMs: () => performance.now() + skew.monotonicMs,
    after(ms: number, act: () => void) {
      const timer = setTimeout(act, ms)
      return () => clearTimeout(timer)
    },
  }
}

async function openVerifier(options: Partial<EdgeVerifierOptions> = {}): Promise<EdgeVerifier> {
  const verifier = await createVerifier({ url: claviger.url, key: edgeKey, audience: AUDIENCE, ...options })
  open.push(verifier)
  return verifier
}

async function makeKey(body: object = {}) {
  const { body: key } = await claviger.call('POST', '/v1/keys', { body: { name: 'edge', ...body } })
  return key as { readonly id: string; readonly credential: string }
}

function revokeKey(id: string) {
  return claviger.call('POST', `/v1/keys/${id}/revoke`, { body: {} })
}

async function codeOf(verifier: EdgeVerifier, credential: string): Promise<string> {
  const verdict = await verifier.verify({ credential })
  return verdict.ok ? 'ok' : verdict.code
}

describe('a verifier in another process', () => {
  test('decides on keys and tokens as the server does, from memory after the first time', async () => {
    await claviger.call('PUT', '/v1/roles/reader', { body: { permissions: ['documents:read'] } })
    const verifier = await openVerifier()
    const key = await makeKey({ roles: ['reader'] })
    const { body: token } = await claviger.call('POST', '/v1/tokens', {
      body: { subject: 'ada', audience: AUDIENCE, roles: ['reader'] },
    })
    for (const { credential } of [key, token]) {
      const request = { credential, require: { permissions: 'documents:read', audience: AUDIENCE } }
      const here = await verifier.verify(request)
      expect(here).toMatchObject({ ok: true, permissions: ['documents:read'] })
      expect(here).toEqual((await claviger.call('POST', '/v1/verify', { body: request })).body)
      expect(verifier.verifyCached(request)).toEqual(here)
      const denied = await verifier.verify({ credential, require: { permissions: 'documents:write' } })
      expect(denied).toMatchObject({ ok: false, code: 'insufficient_permissions' })
    }
    expect(verifier.statistics()).toMatchObject({ keyFills: 1, tokenChecks: 1, connected: true, fresh: true })
  })

  test('V8: refuses what was revoked as soon as a receipt is effective, and is named until then', async () => {
    const verifier = await openVerifier({ name: 'the one that follows' })
    const key = await makeKey()
    expect(await codeOf(verifier, key.credential)).toBe('ok')
    const { body: receipt } = await revokeKey(key.id)
    const { body: waited } = await claviger.call('GET', `/v1/revocations/${receipt.id}?waitSeconds=10`)
    expect(waited).toMatchObject({ effective: true, verifiers: [] })
    expect(await codeOf(verifier, key.credential)).toBe('revoked')
    const { body: verifiers } = await claviger.call('GET', '/v1/verifiers')
    expect(verifiers.items).toContainEqual(
      expect.objectContaining({
        id: verifier.statistics().id,
        name: 'the one that follows',
        lag: 0,
        statistics: expect.objectContaining({ keyFills: expect.any(Number) }),
      }),
    )
  })

  test('a changed role, an IP list and a record act as soon as a revocation', async () => {
    await claviger.call('PUT', '/v1/roles/writer', { body: { permissions: ['documents:write'] } })
    const verifier = await openVerifier()
    const key = await makeKey({ roles: ['writer'], subject: 'grace' })
    const ask = () =>
      verifier.verify({
        credential: key.credential,
        require: { permissions: 'documents:write' },
        context: { ip: '192.0.2.1' },
      })
    expect(await ask()).toMatchObject({ ok: true })
    await claviger.call('PUT', '/v1/roles/writer', { body: { permissions: [] } })
    await expect.poll(ask, { interval: 1 }).toMatchObject({ code: 'insufficient_permissions' })
    await claviger.call('PUT', '/v1/roles/writer', { body: { permissions: ['documents:*'] } })
    await expect.poll(ask, { interval: 1 }).toMatchObject({ ok: true })
    await claviger.call('PATCH', `/v1/keys/${key.id}`, { body: { ipAllow: ['198.51.100.0/24'] } })
    await expect.poll(ask, { interval: 1 }).toMatchObject({ code: 'ip_denied' })
    await claviger.call('PATCH', `/v1/keys/${key.id}`, { body: { ipAllow: null } })
    await claviger.call('PUT', '/v1/subjects/grace', { body: { disabled: true } })
    await expect.poll(ask, { interval: 1 }).toMatchObject({ code: 'disabled' })
  })

  test('F1: a text that was no key is one as soon as it is', async () => {
    const verifier = await openVerifier()
    const key = await makeKey()
    await claviger.call('DELETE', `/v1/keys/${key.id}`)
    expect(await codeOf(verifier, key.credential)).toBe('revoked')
    const unknown = `${key.credential.slice(0, -12)}000000000000`
    expect(['malformed', 'unknown']).toContain(await codeOf(verifier, unknown))
  })
})

describe('freshness', () => {
  test('L1: cut off, it answers until its lease ends and not a moment longer, and again once it is back', async () => {
    const clock = skewableClock()
    const events: EdgeEvent[] = []
    const verifier = await openVerifier({ url: proxy.url, clock, onEvent: (event) => events.push(event) })
    const key = await makeKey()
    expect(await codeOf(verifier, key.credential)).toBe('ok')
    proxy.cut()
    clock.skew.monotonicMs += 2_000
    expect(await codeOf(verifier, key.credential)).toBe('ok')
    await revokeKey(key.id)
    clock.skew.monotonicMs += 3_000
    expect(verifier.verifyCached({ credential: key.credential })).toBeUndefined()
    expect(await codeOf(verifier, key.credential)).toBe('unavailable')
    proxy.mend()
    await expect.poll(() => codeOf(verifier, key.credential)).toBe('revoked')
    await expect.poll(() => events.map(({ type }) => type)).toContain('connected')
    expect(verifier.statistics().fresh).toBe(true)
  })

  test('L2: the larger of two clocks counts, whichever was set or stood still', async () => {
    for (const which of ['wallMs', 'monotonicMs'] as const) {
      const clock = skewableClock()
      const verifier = await openVerifier({ url: proxy.url, clock })
      const key = await makeKey()
      expect(await codeOf(verifier, key.credential)).toBe('ok')
      proxy.cut()
      clock.skew[which] += 5_000
      expect(await codeOf(verifier, key.credential), which).toBe('unavailable')
      proxy.mend()
      await expect.poll(() => codeOf(verifier, key.credential)).toBe('ok')
    }
  })

  test('L2: a lease runs from when its nonce was sent: an answer that was held up is worth what is left', async () => {
    const clock = skewableClock()
    const verifier = await openVerifier({ url: proxy.url, clock })
    const key = await makeKey()
    expect(await codeOf(verifier, key.credential)).toBe('ok')
    proxy.hold()
    // The lease has ended, and the request for the next one goes out into the proxy.
    clock.skew.monotonicMs += 5_000
    const asked = verifier.verify({ credential: key.credential })
    clock.skew.monotonicMs += 5_001
    proxy.release()
    await asked
    expect(verifier.statistics().leaseMsLeft).toBeLessThanOrEqual(5_000)
    await expect.poll(() => codeOf(verifier, key.credential)).toBe('ok')
  })

  test('L4: where it was chosen, verdicts come from memory for so long and no longer, and receipts wait', async () => {
    const clock = skewableClock()
    const onUnavailable = { allowCachedSeconds: 60 }
    const verifier = await openVerifier({ url: proxy.url, clock, onUnavailable, name: 'patient' })
    const key = await makeKey()
    expect(await codeOf(verifier, key.credential)).toBe('ok')
    proxy.cut()
    clock.skew.monotonicMs += 30_000
    await expect.poll(() => codeOf(verifier, key.credential)).toBe('ok')
    const { body: receipt } = await revokeKey(key.id)
    expect(receipt).toMatchObject({ effective: false, verifiers: ['patient'] })
    clock.skew.monotonicMs += 35_000
    expect(await codeOf(verifier, key.credential)).toBe('unavailable')
    proxy.mend()
    await expect.poll(() => codeOf(verifier, key.credential)).toBe('revoked')
  })

  test('L5: its time is never behind the server’s', async () => {
    const clock = skewableClock()
    clock.skew.wallMs = -86_400_000
    const key = await makeKey({ expiresAt: new Date(Date.now() + 600).toISOString() })
    const verifier = await openVerifier({ clock })
    expect(await codeOf(verifier, key.credential)).toBe('ok')
    await expect.poll(() => codeOf(verifier, key.credential), { timeout: 5_000 }).toBe('expired')
  })

  test('a feed that something holds back is read by asking', async () => {
    const blocked: typeof fetch = (input, init) =>
      String(input).includes('/v1/changes?') &&
      new Headers(init?.headers).get('accept') === 'text/event-stream'
        ? new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('held'))))
        : fetch(input, init)
    const verifier = await openVerifier({ fetch: blocked })
    const key = await makeKey()
    expect(await codeOf(verifier, key.credential)).toBe('ok')
    await revokeKey(key.id)
    await expect.poll(() => codeOf(verifier, key.credential), { timeout: 5_000 }).toBe('revoked')
    expect(verifier.statistics()).toMatchObject({ connected: false, fresh: true })
  })

  test('what goes astray between two servers never makes it skip a change', async () => {
    const events: EdgeEvent[] = []
    const verifier = await openVerifier({ url: proxy.url, onEvent: (event) => events.push(event) })
    const keys = await Promise.all(Array.from({ length: 20 }, () => makeKey()))
    for (const { credential } of keys) expect(await codeOf(verifier, credential)).toBe('ok')
    for (const [index, { id }] of keys.entries()) {
      if (index % 5 === 2) proxy.cut()
      await revokeKey(id)
      if (index % 5 === 4) proxy.mend()
    }
    proxy.mend()
    for (const { credential } of keys) {
      await expect.poll(() => codeOf(verifier, credential), { timeout: 10_000 }).toBe('revoked')
    }
    await expect.poll(() => verifier.statistics().lag).toBe(0)
    expect(events.some(({ type }) => type === 'disconnected')).toBe(true)
  })
})

describe('what is kept over a restart', () => {
  async function keptFile(name: string): Promise<{ file: string; key: { credential: string; id: string } }> {
    const file = join(claviger.folder, name)
    const verifier = await openVerifier({ snapshot: snapshotFile(file) })
    const key = await makeKey({ subject: name })
    await claviger.call('POST', '/v1/revocations', { body: { subject: `${name} before` } })
    await expect.poll(() => verifier.statistics().revocationRules).toBeGreaterThan(0)
    await verifier.close()
    return { file, key }
  }

  /** What is asked of the server, and what it may not answer. */
  function counting(asked: string[], refuse: (path: string) => boolean = () => false): typeof fetch {
    return (input, init) => {
      const { pathname } = new URL(String(input))
      asked.push(pathname)
      return refuse(pathname) ? Promise.reject(new Error('cut')) : fetch(input, init)
    }
  }

  test('a start goes on from the file, and loads only what has changed since', async () => {
    const { file, key } = await keptFile('warm')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    await revokeKey(key.id)
    const asked: string[] = []
    const verifier = await openVerifier({ snapshot: snapshotFile(file), fetch: counting(asked) })
    expect(await codeOf(verifier, key.credential)).toBe('revoked')
    expect(asked).not.toContain('/v1/changes/snapshot')
    expect(readFileSync(file, 'utf8')).not.toContain(key.credential)
  })

  test('no ok comes of a file before the server has confirmed it, though caches may be used for long', async () => {
    const { file } = await keptFile('unconfirmed')
    const fetching = counting([], (path) => path === '/v1/changes/lease')
    await expect(
      openVerifier({
        snapshot: snapshotFile(file),
        fetch: fetching,
        onUnavailable: { allowCachedSeconds: 3_600 },
        startTimeoutSeconds: 0.5,
      }),
    ).rejects.toMatchObject({ code: 'unreachable' })
  })

  test.each([
    ['cut short', (file: string) => truncateSync(file, 200)],
    ['emptied', (file: string) => truncateSync(file, 0)],
    ['of something else', (file: string) => writeFileSync(file, 'nonsense\n')],
  ])('a file that is %s is replaced', async (what, harm) => {
    const { file, key } = await keptFile(what)
    harm(file)
    const asked: string[] = []
    const verifier = await openVerifier({ snapshot: snapshotFile(file), fetch: counting(asked) })
    expect(await codeOf(verifier, key.credential)).toBe('ok')
    expect(asked).toContain('/v1/changes/snapshot')
    await verifier.close()
    expect(readFileSync(file, 'utf8')).toContain('"end":true')
  })

  test('F1: of changes that were cut short or do not follow, none after them is taken', async () => {
    const { file } = await keptFile('gap')
    const change = (number: number) =>
      JSON.stringify({ position: { epoch, number }, atMs: 0, commandId: 'x', facts: [] })
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    const { epoch, number } = JSON.parse(lines.at(-1) ?? '').position
    appendFileSync(file, `${change(number + 2)}\n${change(number + 3)}\n{"posi`)
    const verifier = await openVerifier({ snapshot: snapshotFile(file) })
    const { body: page } = await claviger.call('GET', `/v1/changes?after=${epoch}:0`)
    expect(verifier.statistics()).toMatchObject({ position: page.head, lag: 0 })
  })

  test('a file that cannot be written is told, and nothing depends on it', async () => {
    const events: EdgeEvent[] = []
    const verifier = await openVerifier({
      snapshot: snapshotFile('/proc/none/such'),
      onEvent: (event) => {
        events.push(event)
        throw new Error('from whoever listens')
      },
    })
    const key = await makeKey()
    expect(await codeOf(verifier, key.credential)).toBe('ok')
    await expect.poll(() => events).toContainEqual(expect.objectContaining({ type: 'store_failed' }))
  })
})

describe('starting and stopping', () => {
  test('says at once why the server refuses, and after a while that it cannot be reached', async () => {
    const wrong = `${edgeKey.slice(0, -1)}${edgeKey.endsWith('0') ? '1' : '0'}`
    await expect(openVerifier({ key: wrong })).rejects.toMatchObject({ name: 'EdgeError', refused: true })
    await expect(openVerifier({ url: 'http://127.0.0.1:9', startTimeoutSeconds: 0.3 })).rejects.toMatchObject(
      { code: 'unreachable', message: expect.stringContaining('cannot be reached') },
    )
  })

  test.each([
    ['http://claviger.example.com', /must begin with https/],
    ['ftp://127.0.0.1', /is the address of a Claviger server/],
    ['https://user:secret@claviger.example.com', /no user/],
    ['nonsense', /is the address of a Claviger server/],
  ])('sends no key to %s', async (url, message) => {
    const error = await createVerifier({ url, key: edgeKey }).catch((fault: unknown) => fault)
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).toMatch(message)
    expect(String(error)).not.toContain('secret@')
  })

  test('follows no redirect with the key', async () => {
    const away: typeof fetch = async () => Response.redirect('https://elsewhere.example.com/', 302)
    await expect(openVerifier({ fetch: away, startTimeoutSeconds: 0.5 })).rejects.toThrow('answers')
  })

  test('F3: a verifier whose key is revoked answers nothing any more, however long it may use its caches', async () => {
    const { body: made } = await claviger.call('POST', '/v1/management-keys', {
      body: { name: 'short-lived', project: 'default', preset: 'edge' },
    })
    const events: EdgeEvent[] = []
    const verifier = await openVerifier({
      key: made.credential,
      onUnavailable: { allowCachedSeconds: 600 },
      onEvent: (event) => events.push(event),
    })
    const key = await makeKey()
    expect(await codeOf(verifier, key.credential)).toBe('ok')
    await claviger.call('POST', `/v1/management-keys/${made.id}/revoke`, { body: {} })
    await expect.poll(() => codeOf(verifier, key.credential)).toBe('unavailable')
    expect(events.map(({ type }) => type)).toContain('refused')
  })

  test('closed, it answers nothing and no receipt waits for it', async () => {
    const verifier = await openVerifier()
    const key = await makeKey()
    expect(await codeOf(verifier, key.credential)).toBe('ok')
    await verifier.close()
    expect(await codeOf(verifier, key.credential)).toBe('unavailable')
    expect((await revokeKey(key.id)).body.verifiers).not.toContain(verifier.statistics().id)
  })
})
