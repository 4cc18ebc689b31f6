import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createServer } from '../src/index.ts'
import { RawConnection, rawRequest } from './raw-http.ts'
import { startTestServer } from './test-server.ts'

test('a first start makes the root key, for its owner alone, and is ready', async () => {
  const claviger = await startTestServer()
  const file = join(claviger.folder, 'root-key')
  expect(readFileSync(file, 'utf8')).toBe(`${claviger.rootKey}\n`)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect((await claviger.call('GET', '/readyz')).status).toBe(200)
  await claviger.close()
})

test('a second start keeps the root key, and what was acknowledged', async () => {
  const first = await startTestServer()
  await first.call('PUT', '/v1/roles/kept', { body: { permissions: ['a:b'] } })
  await first.server.close()
  const second = await startTestServer({ data: first.folder })
  expect(second.server.createdRootKey).toBeNull()
  const kept = await second.call('GET', '/v1/roles/kept', { key: first.rootKey })
  expect(kept).toMatchObject({ status: 200, body: { permissions: ['a:b'] } })
  await second.close()
  await first.close()
})

test('the issuer is the address listened on, unless a public URL is given', async () => {
  const claviger = await startTestServer()
  const metadata = await claviger.call('GET', '/.well-known/oauth-authorization-server')
  expect(metadata.body).toMatchObject({
    issuer: claviger.url,
    jwks_uri: `${claviger.url}/.well-known/jwks.json`,
  })
  await claviger.close()
})

test('one data folder serves one server', async () => {
  const claviger = await startTestServer()
  await expect(createServer({ port: 0, data: claviger.folder, logLevel: 'silent' })).rejects.toMatchObject({
    code: 'unavailable',
  })
  await claviger.close()
})

test.each([
  ['what is in flight', false],
  ['what follows it on its connection', true],
])(
  'when the server closes, %s is answered, and no connection is accepted any more',
  async (_what, follows) => {
    // A grace far beyond the test's own time: the close must not wait for it.
    const claviger = await startTestServer({ limits: { closeGraceMs: 600_000 } })
    const body = '{"permissions":["a:b"]}'
    const headers = [
      `Authorization: Bearer ${claviger.rootKey}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ]
    // The requests ask for the connection to be kept, so that it is the server that ends it.
    const head = (name: string) =>
      rawRequest(`PUT /v1/roles/${name}`, headers).replace('Connection: close\r\n', '')
    const inFlight = new RawConnection(claviger.port)
    await inFlight.send(head('late') + body.slice(0, 5))
    await expect.poll(() => fetch(`${claviger.url}/healthz`).then(({ status }) => status)).toBe(200)

    const closed = claviger.server.close()
    await expect.poll(() => fetch(`${claviger.url}/healthz`).catch(() => 'refused')).toBe('refused')
    await inFlight.send(body.slice(5) + (follows ? head('later') + body : ''))
    const answer = await inFlight.answer()
    expect(answer.status).toBe(200)
    expect(answer.body).toContain('"late"')
    expect(answer.body.includes('"later"')).toBe(follows)
    await closed

    const again = await startTestServer({ data: claviger.folder })
    const kept = await again.call('GET', '/v1/roles/late', { key: claviger.rootKey })
    expect(kept.status).toBe(200)
    await again.close()
  },
)

test('what does not end in its grace is cut off, and the data folder is released all the same', async () => {
  const claviger = await startTestServer({ limits: { closeGraceMs: 200 } })
  const stuck = new RawConnection(claviger.port)
  const headers = [
    `Authorization: Bearer ${claviger.rootKey}`,
    'Content-Type: application/json',
    'Content-Length: 99',
  ]
  await stuck.send(rawRequest('PUT /v1/roles/never', headers))
  await expect.poll(() => fetch(`${claviger.url}/healthz`).then(({ status }) => status)).toBe(200)
  await claviger.server.close()
  expect((await stuck.answer()).status).not.toBe(200)
  const again = await startTestServer({ data: claviger.folder })
  await again.close()
})

test('a connection that has brought no request holds no close up', async () => {
  // A grace far beyond the test's own time: the close must not wait for it.
  const claviger = await startTestServer({ limits: { closeGraceMs: 600_000 } })
  const unused = new RawConnection(claviger.port)
  await expect.poll(() => fetch(`${claviger.url}/healthz`).then(({ status }) => status)).toBe(200)
  await claviger.server.close()
  expect((await unused.answer()).status).toBe(0)
  await claviger.close()
})

test('closing twice, and closing a server that never listened, is fine', async () => {
  const claviger = await startTestServer()
  await Promise.all([claviger.server.close(), claviger.server.close()])
  const unused = await createServer({ port: 0, data: claviger.folder, logLevel: 'silent' })
  expect(() => unused.url).toThrow(TypeError)
  await unused.close()
  await claviger.close()
})

test('an address that is taken fails the start, and releases the data folder', async () => {
  const taken = await startTestServer()
  const other = await startTestServer()
  await other.server.close()
  const server = await createServer({ port: taken.port, data: other.folder, logLevel: 'silent' })
  await expect(server.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await server.close()
  const again = await startTestServer({ data: other.folder })
  await again.close()
  await taken.close()
})

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'])
    return true
  } catch {
    return false
  }
})()

test.skipIf(!hasOpenssl)('TLS is served with the certificate that is given (needs openssl)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-tls-'))
  const tlsKey = join(folder, 'key.pem')
  const tlsCert = join(folder, 'cert.pem')
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...[
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      tlsKey,
      '-out',
      tlsCert,
    ],
  ])
  const claviger = await startTestServer({ tlsKey, tlsCert })
  expect(claviger.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
  const status = await new Promise((resolve, reject) => {
    get(`${claviger.url}/readyz`, { ca: readFileSync(tlsCert) }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', reject)
  })
  expect(status).toBe(200)
  await claviger.close()
  rmSync(folder, { recursive: true })
})
