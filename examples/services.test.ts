import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createServer } from '@claviger/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

describe.each(['express', 'fastify', 'hono', 'fetch', 'node'])('the service with %s', (name) => {
  let folder: string
  let child: ChildProcessWithoutNullStreams
  let say: (command: string) => Promise<Record<string, string>>
  let url: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), `claviger-${name}-`))
    child = spawn(process.execPath, [join(import.meta.dirname, `${name}.ts`), folder], {
      env: { ...process.env, PORT: '0' },
    })
    child.stderr.pipe(process.stderr)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const read = async () => JSON.parse((await lines.next()).value ?? '{}')
    say = (command) => {
      child.stdin.write(`${command}\n`)
      return read()
    }
    url = (await read()).url
  })
  afterAll(async () => {
    const exited = once(child, 'exit')
    child.stdin.end()
    await exited
    await rm(folder, { recursive: true })
  })

  const get = (headers: Record<string, string>, path = '/documents'): Promise<Response> =>
    fetch(`${url}${path}`, { headers })
  const bearer = (credential = ''): Record<string, string> => ({ authorization: `Bearer ${credential}` })

  test('lets pass who may, by either header', async () => {
    const { id, credential = '' } = await say('key documents:read')
    for (const headers of [bearer(credential), { 'x-api-key': credential }]) {
      const answer = await get(headers)
      expect(answer.status).toBe(200)
      expect(await answer.json()).toEqual({ id })
    }
  })

  test('answers 401 to who presents nothing, and says where its metadata is', async () => {
    const answer = await get({})
    expect(answer.status).toBe(401)
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(await answer.json()).toMatchObject({ status: 401, code: 'unauthenticated' })
    expect(answer.headers.get('www-authenticate')).toBe(
      'Bearer realm="api", resource_metadata="http://localhost:3000/.well-known/oauth-protected-resource"',
    )
    const metadata = await get({}, '/.well-known/oauth-protected-resource')
    expect(metadata.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await metadata.json()).toMatchObject({ resource: 'http://localhost:3000' })
  })

  test('answers 401 to what is no credential, 400 to two that differ', async () => {
    const nonsense = await get(bearer('nonsense'))
    expect(nonsense.status).toBe(401)
    expect(nonsense.headers.get('www-authenticate')).toContain('error="invalid_token"')
    const two = await get({ ...bearer('one'), 'x-api-key': 'another' })
    expect(two.status).toBe(400)
    expect(await two.json()).toMatchObject({ code: 'invalid_request' })
  })

  test('answers 403 to who lacks the permission, and names it', async () => {
    const { credential } = await say('key documents:write')
    const answer = await get(bearer(credential))
    expect(answer.status).toBe(403)
    expect(answer.headers.get('www-authenticate')).toMatch(
      /error="insufficient_scope".*scope="documents:read"/,
    )
  })

  test('answers 429 when the limit is used up, and says what is left before', async () => {
    const { credential } = await say('key documents:read 1')
    const passed = await get(bearer(credential))
    expect(passed.status).toBe(200)
    expect(passed.headers.get('ratelimit-policy')).toBe('"key:a-minute";q=1')
    expect(passed.headers.get('ratelimit')).toMatch(/^"key:a-minute";r=0;t=[0-9]+$/)
    const refused = await get(bearer(credential))
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ code: 'rate_limited' })
  })

  test('answers 401 at once to a key that was revoked', async () => {
    const { id, credential } = await say('key documents:read')
    expect((await get(bearer(credential))).status).toBe(200)
    await say(`revoke ${id}`)
    const answer = await get(bearer(credential))
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ code: 'revoked' })
  })
})

describe.each(['express', 'fastify', 'hono', 'fetch', 'node'])(
  'the service with %s beside a server',
  (name) => {
    test('refuses what was revoked there, at once', async () => {
      const folder = await mkdtemp(join(tmpdir(), `claviger-beside-${name}-`))
      const server = await createServer({ port: 0, data: folder, logTo: { write: () => undefined } })
      const address = await server.listen()
      const call = async (path: string, body: object): Promise<Record<string, string>> => {
        const headers = {
          authorization: `Bearer ${server.createdRootKey?.reveal()}`,
          'content-type': 'application/json',
        }
        const init = { method: 'POST', headers, body: JSON.stringify(body) }
        return (await (await fetch(`${address}/v1/${path}`, init)).json()) as Record<string, string>
      }
      const { credential: edgeKey } = await call('management-keys', {
        name: 'edge',
        project: 'default',
        preset: 'edge',
      })
      const child = spawn(process.execPath, [join(import.meta.dirname, `${name}.ts`)], {
        env: { ...process.env, PORT: '0', CLAVIGER_URL: address, CLAVIGER_KEY: edgeKey },
      })
      const [line] = await once(createInterface({ input: child.stdout }), 'line')
      const { id, credential } = await call('keys', { name: 'CI', permissions: ['documents:read'] })
      const get = async (): Promise<number> =>
        (
          await fetch(`${JSON.parse(line).url}/documents`, {
            headers: { authorization: `Bearer ${credential}` },
          })
        ).status
      expect(await get()).toBe(200)
      await call(`keys/${id}/revoke`, {})
      await expect.poll(get, { interval: 1 }).toBe(401)
      const exited = once(child, 'exit')
      child.stdin.end()
      await exited
      await server.close()
      await rm(folder, { recursive: true })
    })
  },
)
