import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { createClient as generate } from '@hey-api/openapi-ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../server/test/test-server.ts'
import { generation } from '../openapi-ts.config.ts'
import { type ClavigerClient, ClavigerError, createClient } from '../src/index.ts'

let claviger: TestServer
let client: ClavigerClient

beforeAll(async () => {
  claviger = await startTestServer()
  client = createClient({ url: claviger.url, key: claviger.rootKey })
})
afterAll(() => claviger.close())

async function errorOf(call: () => unknown): Promise<ClavigerError> {
  try {
    await call()
  } catch (error) {
    if (error instanceof ClavigerError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('against a real server', () => {
  test('each operation answers the body alone', async () => {
    await client.putRole({ path: { name: 'reader' }, body: { permissions: ['documents:read'] } })
    const key = await client.createKey({ body: { name: 'CI', roles: ['reader'] } })
    const verdict = await client.verifyCredential({
      body: { credential: key.credential, require: { permissions: 'documents:read' } },
    })
    expect(verdict).toMatchObject({ ok: true, id: key.id })
    const page = await client.listKeys({ query: { limit: 1, status: 'active' } })
    expect(page.items).toMatchObject([{ id: key.id }])
    expect(await client.revokeKey({ path: { id: key.id } })).toMatchObject({ effective: true })
  })

  test('a subject of any spelling is one part of the address', async () => {
    for (const subject of ['a/b', 'a?b#c', '100%', 'ü 💡']) {
      const record = await client.putSubject({ path: { subject }, body: { disabled: true } })
      expect(record.subject).toBe(subject)
    }
  })

  test('the project is named with every call', async () => {
    await client.createProject({ body: { name: 'acme' } })
    const acme = createClient({ url: `${claviger.url}/`, key: `${claviger.rootKey}\n`, project: 'acme' })
    await acme.putRole({ path: { name: 'of-acme' }, body: { permissions: [] } })
    expect((await acme.listRoles()).items).toMatchObject([{ name: 'of-acme' }])
    expect(await errorOf(() => client.readRole({ path: { name: 'of-acme' } }))).toMatchObject({
      code: 'not_found',
    })
  })

  test('a problem is an error with its code, its status, what to do, and the id in the log', async () => {
    const error = await errorOf(() => client.readKey({ path: { id: 'key_none' } }))
    expect(error).toMatchObject({ name: 'ClavigerError', code: 'not_found', status: 404 })
    expect(error.message).toBe(error.detail)
    expect(claviger.lines.at(-1)).toContain(error.requestId)
    const other = createClient({ url: claviger.url, key: 'nonsense' })
    expect(await errorOf(() => other.listKeys())).toMatchObject({ code: 'unauthenticated', status: 401 })
  })
})

describe('against something else', () => {
  let other: Server
  let url: string
  const asked: string[] = []

  beforeAll(async () => {
    other = createServer((request, response) => {
      asked.push(request.url ?? '')
      if (request.url === '/v1/roles') response.writeHead(302, { location: `${claviger.url}/v1/roles` }).end()
      else if (request.url === '/v1/projects') return
      else if (request.url === '/v1/keys') response.writeHead(502).end('<h1>Bad gateway</h1>')
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>')
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
  })
  afterAll(() => {
    other.closeAllConnections()
    other.close()
  })

  test('a page is no answer, whatever its status', async () => {
    const lost = createClient({ url, key: 'key' })
    expect(await errorOf(() => lost.listKeys())).toMatchObject({ code: 'unexpected_answer', status: 502 })
    expect(await errorOf(() => lost.listSubjects())).toMatchObject({ code: 'unexpected_answer', status: 200 })
  })

  test('a redirect is not followed: the key would go along', async () => {
    const lost = createClient({ url, key: claviger.rootKey })
    const before = claviger.lines.length
    expect(await errorOf(() => lost.listRoles())).toMatchObject({ code: 'unreachable' })
    expect(claviger.lines.length).toBe(before)
  })

  test('an answer that does not come in time, and a server that is not there', async () => {
    const hasty = createClient({ url, key: 'key', timeoutMs: 50 })
    expect(await errorOf(() => hasty.listProjects())).toMatchObject({ code: 'unreachable', status: 0 })
    const nobody = createClient({ url: 'http://127.0.0.1:1', key: 'key' })
    expect(await errorOf(() => nobody.listKeys())).toMatchObject({ code: 'unreachable', status: 0 })
  })
})

test.each([
  'http://example.com',
  'http://10.0.0.1:2528',
  'http://127.0.0.1.example.com',
  'http://[2001:db8::1]',
])('no key goes to %s over plain HTTP', async (url) => {
  expect(await errorOf(() => createClient({ url, key: 'key' }))).toMatchObject({ code: 'plain_http_refused' })
})

test.each(['https://example.com', 'http://localhost:2528', 'http://127.0.0.1:2528', 'http://[::1]:2528'])(
  'one goes to %s',
  (url) => {
    expect(() => createClient({ url, key: 'key' })).not.toThrow()
  },
)

test('neither the client nor any error shows the key', async () => {
  const key = 'sentinel-of-a-key'
  const nobody = createClient({ url: 'http://127.0.0.1:1', key })
  const errors = [
    await errorOf(() => nobody.listKeys()),
    await errorOf(() => createClient({ url: 'http://127.0.0.1:1', key: `${key}\r\nX: y` })),
    await errorOf(() => createClient({ url: 'http://127.0.0.1:1', key: `${key}é` })),
    await errorOf(() => createClient({ url: `${key}:nonsense`, key })),
  ]
  expect(inspect([nobody, errors], { depth: 20, showHidden: true })).not.toContain(key)
})

test('the generated part is what `npm run generate` writes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-client-'))
  const committed = join(import.meta.dirname, '../src/generated')
  await generate({
    ...generation,
    input: join(import.meta.dirname, '../openapi.json'),
    output: { ...generation.output, path: folder },
    logs: { level: 'silent' },
  })
  const files = readdirSync(committed, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  expect(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .sort(),
  ).toEqual(files.sort())
  for (const file of files) {
    expect(readFileSync(join(folder, file), 'utf8'), file).toBe(readFileSync(join(committed, file), 'utf8'))
  }
  rmSync(folder, { recursive: true })
})
