import { manualClock } from '@claviger/engine'
import { createRemoteJWKSet, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { startTestServer, type TestServer } from './test-server.ts'

const START_MS = Date.parse('2027-01-01T00:00:00Z')
const AUDIENCE = 'https://api.example.com'
const STEP_SECONDS = 60
const DAY_MS = 86_400_000

/**
 * The least forgiving reader that honours the headers: it fetches when `max-age` is over and never else, whatever `kid` it
 * meets.
 */
class CachingReader {
  readonly #url: URL
  #keys: JWTVerifyGetKey | undefined
  #untilMs = 0

  constructor(url: string) {
    this.#url = new URL('/.well-known/jwks.json', url)
  }

  async verify(token: string, nowMs: number): Promise<void> {
    if (this.#keys === undefined || nowMs >= this.#untilMs) {
      const { headers } = await fetch(this.#url)
      const maxAge = /max-age=(\d+)/.exec(headers.get('cache-control') ?? '')?.[1]
      this.#untilMs = nowMs + Number(maxAge) * 1000
      this.#keys = createRemoteJWKSet(this.#url, {
        cooldownDuration: Number.POSITIVE_INFINITY,
        cacheMaxAge: Number.POSITIVE_INFINITY,
      })
    }
    await jwtVerify(token, this.#keys, { currentDate: new Date(nowMs) })
  }
}

async function mint(claviger: TestServer, key: string, ttlSeconds: number): Promise<string> {
  const body = { subject: 'alice', audience: AUDIENCE, ttlSeconds }
  return (await claviger.call('POST', '/v1/tokens', { key, body })).body.credential
}

async function verdictOn(claviger: TestServer, key: string, credential: string): Promise<string> {
  const body = { credential, require: { audience: AUDIENCE } }
  const { body: verdict } = await claviger.call('POST', '/v1/verify', { key, body })
  return verdict.ok ? 'ok' : verdict.code
}

test('a keyring rotated under load fails nobody who reads the JWKS and honours its max-age', async () => {
  const clock = manualClock(START_MS)
  const claviger = await startTestServer({ clock })
  const readers = Array.from({ length: 5 }, () => new CachingReader(claviger.url))
  const signers = new Set<string>()
  for (let step = 0; step < 80; step++) {
    const { body: next } = await claviger.call('POST', '/v1/signing-keys/rotate')
    if (next.status === 'active') signers.add(next.id)
    const tokens = await Promise.all(readers.map(() => mint(claviger, claviger.rootKey, 600)))
    // A reader joins at each of the first steps, so that they fetch at different times.
    for (const reader of readers.slice(0, step + 1)) {
      for (const token of tokens) await reader.verify(token, clock.nowMs())
    }
    expect(await verdictOn(claviger, claviger.rootKey, tokens[0] ?? '')).toBe('ok')
    clock.advance(STEP_SECONDS * 1000)
  }
  expect(signers.size).toBeGreaterThan(5)
  await claviger.close()
})

test('a former public URL is accepted over a restart until its last token has expired', async () => {
  const clock = manualClock(START_MS)
  const first = await startTestServer({ clock, publicUrl: 'https://old.example.com' })
  const { rootKey } = first
  const before = await mint(first, rootKey, 86_400)
  await first.server.close()

  const second = await startTestServer({
    clock,
    data: first.folder,
    publicUrl: 'https://new.example.com/auth',
  })
  const after = await mint(second, rootKey, 86_400)
  expect(JSON.parse(Buffer.from(after.split('.')[1] ?? '', 'base64url').toString()).iss).toBe(
    'https://new.example.com/auth',
  )
  expect(await verdictOn(second, rootKey, before)).toBe('ok')
  // Whoever verifies with the JWKS of either address goes on: it is the same keyring.
  const keys = createRemoteJWKSet(new URL(`${second.url}/.well-known/jwks.json`))
  await jwtVerify(before, keys, { issuer: 'https://old.example.com', currentDate: new Date(START_MS) })
  clock.advance(DAY_MS - 1_000)
  expect(await verdictOn(second, rootKey, before)).toBe('ok')
  await second.server.close()

  const third = await startTestServer({
    clock,
    data: first.folder,
    publicUrl: 'https://new.example.com/auth',
  })
  expect(await verdictOn(third, rootKey, before)).toBe('ok')
  clock.advance(1_000)
  expect(await verdictOn(third, rootKey, before)).toBe('unknown')
  expect(await verdictOn(third, rootKey, after)).toBe('expired')
  await third.server.close()
  await first.close()
})
