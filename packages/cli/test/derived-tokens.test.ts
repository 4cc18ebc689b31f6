import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Place, startServer } from './command-line.ts'

const AUDIENCE = 'https://api.example.com'

let place: Place

beforeAll(async () => {
  place = await startServer()
})
afterAll(() => place.remove())

test('defaults of an audience are written, shown, counted with and deleted', async () => {
  const claims = '{"region":"eu"}'
  const stored = await place.json(['audiences', 'put', AUDIENCE, '--ttl-seconds', '60', '--claims', claims])
  expect(stored).toMatchObject({
    audience: AUDIENCE,
    ttlSeconds: 60,
    algorithm: null,
    claims: { region: 'eu' },
  })
  expect(await place.json(['audiences', 'read', AUDIENCE])).toEqual(stored)
  expect((await place.run(['audiences', 'list'])).stdout).toMatch(
    /https:\/\/api\.example\.com +60 +- +{"region"/,
  )
  const token = await place.json(['tokens', 'mint', 'alice', '--audience', AUDIENCE])
  const verdict = await place.json(['verify', token.credential, '--audience', AUDIENCE])
  expect(verdict).toMatchObject({ ok: true, claims: { region: 'eu' } })
  expect((await place.run(['audiences', 'delete', AUDIENCE])).stdout).toBe('The defaults are gone.\n')
  expect((await place.run(['audiences', 'read', AUDIENCE])).stderr).toContain('(not_found)')
})

test('a token is derived from one on standard input, or from a key, and dies with it', async () => {
  await place.json(['roles', 'put', 'reader', 'documents:read', 'billing:read'])
  const parent = await place.json(['tokens', 'mint', 'alice', '--audience', AUDIENCE, '--roles', 'reader'])
  const child = await place.json(['tokens', 'derive', '-', '--permissions', 'documents:read'], {
    input: parent.credential,
  })
  const verify = () => place.run(['verify', child.credential, '--audience', AUDIENCE, '--json'])
  expect(JSON.parse((await verify()).stdout)).toMatchObject({ ok: true, permissions: ['documents:read'] })
  await place.json(['revoke', '-'], { input: parent.credential })
  expect(JSON.parse((await verify()).stdout)).toMatchObject({ ok: false, code: 'revoked' })

  const { credential } = await place.json(['keys', 'create', 'CI', '--roles', 'reader'])
  const environment = { CLAVIGER_CREDENTIAL: credential }
  const { exitCode, stdout } = await place.run(['tokens', 'derive', '--audience', AUDIENCE], { environment })
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/\neyJ\S+\n$/)
})

test('a token that outgrows usual limits is warned of on standard error, and printed all the same', async () => {
  const claims = JSON.stringify({ blob: 'x'.repeat(4000) })
  const args = ['tokens', 'mint', 'alice', '--audience', AUDIENCE, '--claims', claims, '--json']
  const { exitCode, stdout, stderr } = await place.run(args)
  expect(exitCode).toBe(0)
  expect(stderr).toMatch(/^warning: The token is \d+ bytes long\. .*\(near_4_kib_limit\)\n$|near_8_kib_limit/)
  expect(JSON.parse(stdout)).toMatchObject({ warnings: [{ code: 'near_4_kib_limit' }] })
})
