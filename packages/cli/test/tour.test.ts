import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Place, startServer } from './command-line.ts'

const AUDIENCE = 'https://api.example.com'

let place: Place

beforeAll(async () => {
  place = await startServer()
  await place.json(['roles', 'put', 'reader', 'documents:read'])
})
afterAll(() => place.remove())

async function verdictOn(credential: string, ...options: string[]): Promise<{ ok: boolean; code?: string }> {
  const { exitCode, stdout } = await place.run(['verify', '-', '--json', ...options], { input: credential })
  const verdict = JSON.parse(stdout)
  expect(exitCode).toBe(verdict.ok ? 0 : 1)
  return verdict
}

test('a key passes, lacks what it was not given, works on while it is rotated, and is revoked at once', async () => {
  const created = await place.json(['keys', 'create', 'Acme production', '--roles', 'reader'])
  expect(created).toMatchObject({ name: 'Acme production', roles: ['reader'], status: 'active' })
  expect(await verdictOn(created.credential, '--permissions', 'documents:read')).toMatchObject({
    ok: true,
    kind: 'key',
    id: created.id,
    permissions: ['documents:read'],
  })
  expect(await verdictOn(created.credential, '--permissions', 'documents:write')).toMatchObject({
    ok: false,
    code: 'insufficient_permissions',
  })

  const rotated = await place.json(['keys', 'rotate', created.id])
  expect(rotated.credential).not.toBe(created.credential)
  expect(await verdictOn(created.credential)).toMatchObject({ ok: true })
  expect(await verdictOn(rotated.credential)).toMatchObject({ ok: true })

  expect(await place.json(['keys', 'revoke', created.id])).toMatchObject({ effective: true, verifiers: [] })
  expect(await verdictOn(created.credential)).toMatchObject({ ok: false, code: 'revoked' })
  expect(await verdictOn(rotated.credential)).toMatchObject({ ok: false, code: 'revoked' })
})

test('a token passes here and with another library, and is revoked at once', async () => {
  const token = await place.json(['tokens', 'mint', 'alice', '--audience', AUDIENCE, '--roles', 'reader'])
  expect(await verdictOn(token.credential, '--audience', AUDIENCE)).toMatchObject({
    ok: true,
    subject: 'alice',
  })

  const jwks = createRemoteJWKSet(new URL(`${place.url}/.well-known/jwks.json`))
  const { payload } = await jwtVerify(token.credential, jwks, { issuer: place.url, audience: AUDIENCE })
  expect(payload).toMatchObject({ sub: 'alice', jti: token.id, roles: ['reader'] })

  const { exitCode } = await place.run(['revoke', '-'], { input: `${token.credential}\n` })
  expect(exitCode).toBe(0)
  expect(await verdictOn(token.credential, '--audience', AUDIENCE)).toMatchObject({ code: 'revoked' })
})

test('a subject is logged in, stays so with each refresh, is listed, and is logged out at once', async () => {
  const begin = [
    'sessions',
    'create',
    'carol',
    '--audience',
    AUDIENCE,
    '--roles',
    'reader',
    '--device',
    'Firefox',
  ]
  const begun = await place.json(begin)
  const refreshed = await place.json(['sessions', 'refresh'], { input: `${begun.refreshToken}\n` })
  expect(refreshed).toMatchObject({ id: begun.id })
  const environment = { CLAVIGER_REFRESH_TOKEN: refreshed.refreshToken }
  const last = await place.json(['sessions', 'refresh', '--ip', '192.0.2.7'], { environment })
  expect(await verdictOn(last.accessToken, '--audience', AUDIENCE)).toMatchObject({
    ok: true,
    sessionId: begun.id,
  })

  const { items } = await place.json(['sessions', 'list', '--subject', 'carol', '--state', 'active'])
  expect(items).toMatchObject([{ id: begun.id, device: 'Firefox', ip: '192.0.2.7', roles: ['reader'] }])
  expect((await place.run(['sessions', 'show', begun.id])).stdout).toMatch(/^state +active$/m)
  expect((await place.run(['sessions', 'list', '--subject', 'carol'])).stdout).toContain(begun.id)

  const other = await place.json(begin)
  await place.json(['sessions', 'revoke', begun.id, '--reason', 'logged out'])
  expect(await verdictOn(last.accessToken, '--audience', AUDIENCE)).toMatchObject({ code: 'revoked' })
  const late = await place.run(['sessions', 'refresh'], { input: last.refreshToken })
  expect(late).toMatchObject({ exitCode: 1, stdout: '' })
  expect(late.stderr).toContain('(session_ended)')
  expect(await verdictOn(other.accessToken, '--audience', AUDIENCE)).toMatchObject({ ok: true })
  await place.json(['sessions', 'revoke', '--subject', 'carol'])
  expect(await verdictOn(other.accessToken, '--audience', AUDIENCE)).toMatchObject({ code: 'revoked' })
})

test('what a subject had is revoked, and what it is given afterwards works', async () => {
  const mint = ['tokens', 'mint', 'bob', '--audience', AUDIENCE]
  const before = await place.json(mint)
  await place.json(['revoke', '--subject', 'bob', '--reason', 'lost laptop'])
  const after = await place.json(mint)
  expect(await verdictOn(before.credential, '--audience', AUDIENCE)).toMatchObject({ code: 'revoked' })
  expect(await verdictOn(after.credential, '--audience', AUDIENCE)).toMatchObject({ ok: true })
})
