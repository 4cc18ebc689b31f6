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

test('what a subject had is revoked, and what it is given afterwards works', async () => {
  const mint = ['tokens', 'mint', 'bob', '--audience', AUDIENCE]
  const before = await place.json(mint)
  await place.json(['revoke', '--subject', 'bob', '--reason', 'lost laptop'])
  const after = await place.json(mint)
  expect(await verdictOn(before.credential, '--audience', AUDIENCE)).toMatchObject({ code: 'revoked' })
  expect(await verdictOn(after.credential, '--audience', AUDIENCE)).toMatchObject({ ok: true })
})
