import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createBackup, manualClock } from '@claviger/engine'
import { expect, test } from 'vitest'
import { type Answer, type CallOptions, startTestServer } from './test-server.ts'

const AUDIENCE = 'https://api.example.com'
/** They hold secrets, and are for that. */
const KEY_FILES = new Set(['master-key', 'root-key'])

interface Secret {
  readonly what: string
  /** In each way that it could be written down. */
  readonly spellings: readonly Buffer[]
}

/** A credential's end, which nothing else contains. */
function textSecret(what: string, text: string): Secret {
  return { what, spellings: [Buffer.from(text.slice(-36))] }
}

function byteSecret(what: string, bytes: Buffer): Secret {
  const written = [bytes.toString('base64url'), bytes.toString('hex'), bytes.toString('base64').slice(0, 40)]
  return { what, spellings: [bytes, ...written.map((text) => Buffer.from(text))] }
}

function filesOf(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return filesOf(path)
    return KEY_FILES.has(name) ? [] : [path]
  })
}

test('no refresh token, kept answer, HS256 secret or other credential stands in the log, an error, a list, the metrics, the audit, the database, its journal or a backup', async () => {
  const clock = manualClock(Date.now())
  const claviger = await startTestServer({ clock })
  const secrets: Secret[] = [textSecret('the root key', claviger.rootKey)]
  const shown: string[] = []

  /** What is answered is kept to be searched, unless it is what hands a secret out. */
  async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const answer = await claviger.call(method, path, options)
    const { credential, accessToken, refreshToken } = answer.body ?? {}
    for (const [what, text] of Object.entries({ credential, accessToken, refreshToken })) {
      if (typeof text === 'string') secrets.push(textSecret(`${what} of ${method} ${path}`, text))
    }
    if (credential === undefined && accessToken === undefined) shown.push(JSON.stringify(answer.body))
    return answer
  }
  const once = { 'idempotency-key': 'sentinel-idempotency-key' }

  const key = await call('POST', '/v1/keys', { headers: once, body: { name: 'sentinel-name' } })
  const kept = await call('POST', '/v1/keys', { headers: once, body: { name: 'sentinel-name' } })
  expect(kept.body).toEqual(key.body)
  await call('POST', `/v1/keys/${key.body.id}/rotate`, { headers: { 'idempotency-key': 'rotation' } })
  const body = { subject: 'alice', audience: AUDIENCE, device: 'a browser' }
  const begun = await call('POST', '/v1/sessions', { headers: { 'idempotency-key': 'login' }, body })
  const { refreshToken } = begun.body
  const second = await call('POST', '/v1/sessions/refresh', { body: { refreshToken } })
  await call('POST', '/v1/sessions/refresh', { body: { refreshToken } })
  const third = await call('POST', '/v1/sessions/refresh', {
    body: { refreshToken: second.body.refreshToken },
  })
  expect(third.status).toBe(200)

  const secret = randomBytes(48)
  secrets.push(byteSecret('an imported HS256 secret', secret))
  const jwk = { kty: 'oct', k: secret.toString('base64url') }
  const imported = { algorithm: 'HS256', key: jwk, status: 'active' }
  expect((await call('POST', '/v1/signing-keys', { body: imported })).status).toBe(201)
  const refused = randomBytes(48)
  secrets.push(byteSecret('a refused HS256 secret', refused))
  for (const wrong of [
    { algorithm: 'HS256', key: { kty: 'oct', k: refused.toString('base64url'), use: 'enc' } },
    { algorithm: 'ES256', key: { kty: 'oct', k: refused.toString('base64url') } },
    { algorithm: 'HS256', key: refused.toString('base64url') },
    { algorithm: 'HS256', [refused.toString('base64url')]: 1 },
  ]) {
    expect((await call('POST', '/v1/signing-keys', { body: wrong })).status).toBe(400)
  }
  const mint = { subject: 'alice', audience: AUDIENCE, algorithm: 'HS256' }
  const token = await call('POST', '/v1/tokens', { body: mint })
  expect(token.status).toBe(201)

  // Each credential where it does not belong, and where it is refused.
  for (const text of [refreshToken, third.body.refreshToken, kept.body.credential, token.body.credential]) {
    const encoded = encodeURIComponent(text)
    await call('POST', '/v1/verify', { body: { credential: text, require: { audience: 'any' } } })
    await call('POST', '/v1/verify', { body: { credential: text, [text]: text } })
    await call('POST', '/v1/sessions/refresh', { body: { refreshToken: `${text}x` } })
    await call('POST', '/v1/sessions/refresh', { body: { refreshToken: { text } } })
    await call('POST', '/v1/revocations', {
      body: { credential: text, reason: `found ${text}`, subject: text },
    })
    await call('PATCH', `/v1/keys/${key.body.id}`, { body: { metadata: { [text]: [text] }, roles: [text] } })
    await call('GET', `/v1/sessions/${encoded}`)
    await call('GET', `/v1/keys?cursor=${encoded}`, { key: text })
    await call('POST', '/v1/keys', {
      headers: { 'idempotency-key': text },
      body: { name: 'x', roles: ['nobody'] },
    })
  }
  clock.advance(60_000)
  const reuse = await call('POST', '/v1/sessions/refresh', { body: { refreshToken } })
  expect(reuse.body.code).toBe('refresh_token_reused')
  const last = await call('POST', '/v1/sessions', { body })
  const ended = { credential: last.body.refreshToken, reason: `found ${last.body.refreshToken} in a log` }
  expect((await call('POST', '/v1/revocations', { body: ended })).status).toBe(201)

  for (const project of ['default', 'claviger']) {
    const headers = { 'claviger-project': project }
    for (const path of [
      '/v1/audit?limit=200',
      '/v1/audit/chain',
      '/v1/usage?groupBy=key,subject,outcome,ip,tag',
    ])
      expect((await call('GET', path, { headers })).status, path).toBe(200)
  }
  for (const path of ['keys', 'sessions', 'signing-keys', 'revocations', 'subjects', 'management-keys'])
    expect((await call('GET', `/v1/${path}`)).status, path).toBe(200)
  await call('GET', '/metrics')
  shown.push(await (await fetch(`${claviger.url}/default/.well-known/jwks.json`)).text())

  const database = new DatabaseSync(join(claviger.folder, 'claviger.db'), { readOnly: true })
  const answers = database.prepare('SELECT sealed FROM idempotency_keys WHERE sealed IS NOT NULL').all()
  database.close()
  expect(answers).toHaveLength(3)
  await claviger.server.close()
  await createBackup({
    database: `sqlite:${join(claviger.folder, 'claviger.db')}`,
    file: join(claviger.folder, 'backup'),
    clock,
  })

  const places = new Map<string, Buffer>([
    ['the log', Buffer.from(claviger.lines.join(''))],
    ['an answer', Buffer.from(shown.join('\n'))],
    ...filesOf(claviger.folder).map((file) => [file, readFileSync(file)] as const),
  ])
  // What is written down is found, so the search can find something.
  for (const [place, text] of [
    [join(claviger.folder, 'claviger.db'), 'sentinel-name'],
    [join(claviger.folder, 'backup'), 'sentinel-name'],
    ['an answer', 'session.reuse'],
    ['an answer', 'claviger_verifications_total'],
    ['an answer', '[redacted'],
    ['the log', '/v1/sessions/refresh'],
  ] as const) {
    expect(places.get(place)?.includes(text), `${place}: ${text}`).toBe(true)
  }
  expect(secrets.length).toBeGreaterThan(12)
  const found = [...places].flatMap(([place, bytes]) =>
    secrets
      .filter(({ spellings }) => spellings.some((spelling) => bytes.includes(spelling)))
      .map(({ what }) => `${what} in ${place}`),
  )
  expect(found).toEqual([])
  for (const [place, bytes] of places) expect(bytes.includes(once['idempotency-key']), place).toBe(false)
  await claviger.close()
})
