import { connect } from 'node:net'
import { createVerifier } from '@claviger/verify'
import { expect, onTestFinished, test } from 'vitest'
import { startTestServer, type TestServer } from './test-server.ts'

async function start(options: Parameters<typeof startTestServer>[0] = {}): Promise<TestServer> {
  const claviger = await startTestServer(options)
  onTestFinished(() => claviger.close())
  return claviger
}

async function scrape(claviger: TestServer): Promise<string> {
  const { status, headers, body } = await claviger.call('GET', '/metrics')
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  return body
}

/** The value of a series, by its whole name; undefined: there is none. */
function sampleOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

async function createKey(claviger: TestServer, name: string): Promise<{ id: string; credential: string }> {
  const { body } = await claviger.call('POST', '/v1/keys', { body: { name, permissions: ['a:b'] } })
  return body
}

test('verifiers in other processes are counted, by whether they hold a lease', async () => {
  const claviger = await startTestServer()
  const held = async () => sampleOf(await scrape(claviger), 'claviger_edge_verifiers{lease="held"}')
  expect(await held()).toBe(0)
  const verifier = await createVerifier({ url: claviger.url, key: claviger.rootKey })
  expect(await held()).toBe(1)
  await verifier.close()
  expect(await held()).toBe(0)
  await claviger.close()
})

test('verifications are counted by kind and outcome, and by what no cache answered', async () => {
  const claviger = await start()
  const { id, credential } = await createKey(claviger, 'counted')
  const verify = (text: string) =>
    claviger.call('POST', '/v1/verify', { body: { credential: text, require: { audience: 'any' } } })
  const token = await claviger.call('POST', '/v1/tokens', { body: { subject: 'user-1', audience: 'api' } })
  for (let count = 0; count < 3; count++) await verify(credential)
  for (let count = 0; count < 2; count++) await verify(token.body.credential)
  await verify('no credential at all')
  await claviger.call('POST', `/v1/keys/${id}/revoke`)
  await verify(credential)

  const text = await scrape(claviger)
  const verifications = (kind: string, outcome: string) =>
    sampleOf(text, `claviger_verifications_total{kind="${kind}",outcome="${outcome}"}`)
  expect(verifications('key', 'ok')).toBe(3)
  expect(verifications('token', 'ok')).toBe(2)
  expect(verifications('none', 'malformed')).toBe(1)
  expect(verifications('key', 'revoked')).toBe(1)
  expect(verifications('token', 'expired')).toBeUndefined()
  // The revoked key was asked for anew.
  expect(sampleOf(text, 'claviger_cache_misses_total{kind="key"}')).toBe(2)
  expect(sampleOf(text, 'claviger_cached_credentials{kind="token"}')).toBe(1)
  expect(sampleOf(text, 'claviger_revocation_rules')).toBeGreaterThan(0)
  expect(sampleOf(text, 'claviger_management_authentications_total{outcome="ok"}')).toBeGreaterThan(7)
})

test('answers are timed by route and status, and an address of a caller’s own making is no label', async () => {
  const claviger = await start()
  const { id } = await createKey(claviger, 'timed')
  await claviger.call('GET', `/v1/keys/${id}`)
  await claviger.call('GET', '/v1/keys/key_none')
  await claviger.call('GET', '/v1/made-up-by-a-caller')
  await claviger.call('GET', '/healthz')
  await fetch(`${claviger.url}/healthz`, { method: 'HEAD' })
  const text = await scrape(claviger)
  const count = (labels: string) => sampleOf(text, `claviger_http_request_duration_seconds_count{${labels}}`)
  expect(count('route="/v1/keys/{id}",method="GET",status="200"')).toBe(1)
  expect(count('route="/v1/keys/{id}",method="GET",status="404"')).toBe(1)
  expect(count('route="/v1/keys",method="POST",status="201"')).toBe(1)
  expect(count('route="none",method="any",status="404"')).toBe(1)
  expect(count('route="/healthz",method="GET",status="200"')).toBe(1)
  expect(count('route="/healthz",method="HEAD",status="200"')).toBe(1)
  expect(text).not.toContain('made-up-by-a-caller')
  expect(text).not.toContain(id)
})

test('the writer thread, the database and the process are told of', async () => {
  const claviger = await start()
  await createKey(claviger, 'stored')
  const text = await scrape(claviger)
  expect(sampleOf(text, 'claviger_commands_total{outcome="stored"}')).toBeGreaterThan(0)
  expect(sampleOf(text, 'claviger_commit_duration_seconds_count')).toBeGreaterThan(0)
  expect(sampleOf(text, 'claviger_commit_commands_bucket{le="+Inf"}')).toBe(
    sampleOf(text, 'claviger_commit_duration_seconds_count'),
  )
  expect(sampleOf(text, 'claviger_feed_changes_total')).toBeGreaterThan(0)
  expect(sampleOf(text, 'claviger_writer_queue_commands')).toBe(0)
  expect(sampleOf(text, 'claviger_database_bytes{file="database"}')).toBeGreaterThan(0)
  expect(sampleOf(text, 'claviger_database_bytes{file="wal"}')).toBeGreaterThan(0)
  expect(sampleOf(text, 'claviger_projects')).toBe(1)
  expect(sampleOf(text, 'claviger_ready')).toBe(1)
  expect(text).toMatch(/^claviger_build_info\{version="[^"]+",node="v\d+\.[^"]+"\} 1$/m)
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m)
  expect(text).toMatch(/^process_cpu_seconds_total /m)
})

test('every line is one that Prometheus reads, and no series comes twice', async () => {
  const claviger = await start()
  await createKey(claviger, 'parsed')
  await scrape(claviger)
  const samples = (await scrape(claviger)).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  for (const line of samples) {
    expect(line).toMatch(
      /^[a-z_][a-z0-9_]*(\{([a-z]+="[^"\\\n]*",?)+\})? (-?[0-9.]+(e[+-]?\d+)?|Nan|[+-]Inf)$/,
    )
  }
  const series = samples.map((line) => line.slice(0, line.lastIndexOf(' ')))
  expect(new Set(series).size).toBe(series.length)
})

test('no credential, id, subject, project or address that a caller sent is in the metrics', async () => {
  const claviger = await start()
  const sentinel = 'sentinel4711'
  await claviger.call('POST', '/v1/projects', { body: { name: sentinel } })
  const { id, credential } = await createKey(claviger, sentinel)
  await claviger.call('POST', '/v1/verify', { body: { credential, context: { ip: '203.0.113.77' } } })
  await claviger.call('POST', '/v1/verify', { body: { credential: `${sentinel}.${sentinel}.${sentinel}` } })
  await claviger.call('GET', `/${sentinel}?key=${credential}`, { headers: { 'user-agent': sentinel } })
  await claviger.call('GET', `/v1/keys/${sentinel}`, { key: sentinel })
  await claviger.call('PUT', `/v1/subjects/${sentinel}`, { body: { roles: [] } })
  const text = await scrape(claviger)
  const [secret = ''] = credential.split('_').slice(-1)
  for (const hidden of [sentinel, id, credential, secret, claviger.rootKey, '203.0.113.77']) {
    expect(text).not.toContain(hidden)
  }
})

test('M5: without a management key there are no metrics beside the API, not even for a caller of this machine', async () => {
  const claviger = await start()
  expect((await claviger.call('GET', '/metrics', { key: null })).status).toBe(401)
  expect((await fetch(`${claviger.url}/metrics`, { method: 'HEAD' })).status).toBe(401)
  const { credential } = await createKey(claviger, 'customer')
  expect((await claviger.call('GET', '/metrics', { key: credential })).status).toBe(401)
})

test('M2: a key that is bound to a project does not see the figures of all', async () => {
  const claviger = await start()
  const { body } = await claviger.call('POST', '/v1/management-keys', {
    body: { name: 'bound', preset: 'auditor' },
  })
  const answer = await claviger.call('GET', '/metrics', { key: body.credential })
  expect(answer.status).toBe(403)
  expect(answer.body).toMatchObject({ code: 'forbidden' })
})

test('the metrics port serves the metrics and nothing else, on loopback unless told otherwise', async () => {
  const claviger = await start({ metricsPort: 0 })
  const opened = claviger.lines
    .map((line) => JSON.parse(line))
    .find(({ msg }) => msg === 'metrics are served')
  expect(opened.host).toBe('127.0.0.1')
  const base = `http://127.0.0.1:${opened.port}`
  const answer = await fetch(`${base}/metrics`)
  expect(answer.status).toBe(200)
  expect(sampleOf(await answer.text(), 'claviger_ready')).toBe(1)
  for (const path of ['/', '/v1/keys', '/metrics/x', '/readyz']) {
    expect((await fetch(base + path)).status, path).toBe(404)
  }
  expect((await fetch(`${base}/metrics`, { method: 'POST' })).status).toBe(404)
  // A connection that says nothing does not keep the server from closing.
  const idle = connect(opened.port, '127.0.0.1')
  idle.on('error', () => {})
  await claviger.server.close()
  await expect(fetch(`${base}/metrics`)).rejects.toThrow()
})

test('no metrics port is opened unless one is named', async () => {
  const claviger = await start()
  expect(claviger.lines.some((line) => line.includes('metrics are served'))).toBe(false)
})

test('a metrics port that is taken stops the start, and is named', async () => {
  const claviger = await start()
  const starting = startTestServer({ metricsPort: claviger.port })
  await expect(starting).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(`port ${claviger.port} (EADDRINUSE)`),
  })
})
