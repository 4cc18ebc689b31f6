import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Place, startServer } from './command-line.ts'

let place: Place

beforeAll(async () => {
  place = await startServer()
  await place.json(['roles', 'put', 'reader', 'documents:read'])
})
afterAll(() => place.remove())

test('a project is created, listed and shown, and keeps its keys to itself', async () => {
  const created = await place.json([
    'projects',
    'create',
    'staging',
    '--key-prefix',
    'acme',
    '--algorithm',
    'ES256',
  ])
  expect(created).toMatchObject({ name: 'staging', keyPrefix: 'acme', algorithm: 'ES256' })
  expect(await place.json(['projects', 'read', 'staging'])).toEqual(created)
  expect((await place.json(['projects', 'list'])).items).toContainEqual(created)
  expect((await place.run(['projects', 'list'])).stdout).toMatch(/^staging +prj_\S+ +acme +ES256 /m)
  const key = await place.json(['keys', 'create', 'theirs', '--project', 'staging'])
  expect(key.credential).toMatch(/^acme_/)
  expect(await place.json(['keys', 'list', '--name', 'theirs'])).toMatchObject({ items: [] })
})

test('a subject is bounded, disabled, enabled and freed again', async () => {
  const { credential } = await place.json(['keys', 'create', 'k', '--subject', 'alice', '--roles', 'reader'])
  const verdict = async (): Promise<string> => {
    const { stdout } = await place.run(['verify', '-', '--permissions', 'documents:read'], {
      input: credential,
    })
    return stdout.split(':')[0] ?? ''
  }
  expect(await verdict()).toBe('ok')
  const put = await place.json(['subjects', 'put', 'alice', '--roles', '', '--metadata', '{"plan":"pro"}'])
  expect(put).toMatchObject({ subject: 'alice', roles: [], permissions: null, metadata: { plan: 'pro' } })
  expect(await verdict()).toBe('insufficient_permissions')
  const changed = await place.json(['subjects', 'change', 'alice', '--clear', 'roles'])
  expect(changed).toMatchObject({ roles: null, metadata: { plan: 'pro' } })
  expect(await verdict()).toBe('ok')
  expect((await place.run(['subjects', 'disable', 'alice'])).stdout).toMatch(/^disabled +yes$/m)
  expect(await verdict()).toBe('disabled')
  expect(await place.json(['subjects', 'list', '--disabled'])).toMatchObject({
    items: [{ subject: 'alice' }],
  })
  expect(await place.json(['subjects', 'list', '--no-disabled'])).toMatchObject({ items: [] })
  expect((await place.run(['subjects', 'list'])).stdout).toMatch(/^alice +not bounded +not bounded +yes /m)
  expect(await place.json(['subjects', 'enable', 'alice'])).toMatchObject({ disabled: false })
  expect(await verdict()).toBe('ok')
  expect((await place.run(['subjects', 'read', 'alice'])).stdout).toContain('{"plan":"pro"}')
  expect((await place.run(['subjects', 'delete', 'alice'])).stdout).toBe('The record is gone.\n')
  expect((await place.run(['subjects', 'read', 'alice'])).exitCode).toBe(1)
})

test('a management key is made for one job, printed as the command looks for it, and does no other', async () => {
  const { stdout } = await place.run(['management-keys', 'create', 'gateway', '--preset', 'gateway'])
  const line = /^CLAVIGER_KEY=(clv_mgmt_[0-9A-Za-z]{44})$/m.exec(stdout)
  const environment = { CLAVIGER_KEY: line?.[1] ?? '' }
  expect(stdout).toContain('shown this once')
  const { credential } = await place.json(['keys', 'create', 'customer'])
  expect(await place.json(['verify', '-'], { input: credential, environment })).toMatchObject({ ok: true })
  const refused = await place.run(['keys', 'list'], { environment })
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
  expect(refused.stderr).toContain('(forbidden)')
})

test('a management key is listed, shown, changed, rotated, revoked and deleted', async () => {
  const verbs = ['--verbs', 'tokens:mint,keys:read', '--grants', 'documents:read']
  const { credential, ...created } = await place.json(['management-keys', 'create', 'minter', ...verbs])
  expect(created).toMatchObject({ project: 'default', grants: ['documents:read'], status: 'active' })
  const { id } = created
  expect(await place.json(['management-keys', 'read', id])).toEqual(created)
  expect(await place.json(['management-keys', 'list', '--name', 'minter'])).toMatchObject({
    items: [created],
  })
  expect((await place.run(['management-keys', 'list'])).stdout).toMatch(
    / minter +default +active +documents:read /,
  )
  const change = ['management-keys', 'change', id, '--grants', '', '--expires-at', '2090-01-01T00:00:00Z']
  expect(await place.json(change)).toMatchObject({ grants: [], expiresAt: '2090-01-01T00:00:00.000Z' })
  expect(await place.json(['management-keys', 'change', id, '--clear', 'expires-at'])).toMatchObject({
    expiresAt: null,
  })
  const rotated = await place.json(['management-keys', 'rotate', id, '--overlap-seconds', '60'])
  expect(rotated.credential).not.toBe(credential)
  expect((await place.run(['management-keys', 'read', id])).stdout).toMatch(
    /^text +clv_mgmt_\w{8}… since .*, until /m,
  )
  expect(await place.json(['management-keys', 'revoke', id, '--reason', 'test'])).toMatchObject({
    effective: true,
  })
  expect(await place.run(['management-keys', 'delete', id])).toMatchObject({ stdout: 'The key is gone.\n' })
  expect((await place.run(['management-keys', 'read', id])).exitCode).toBe(1)
})

test.each([
  ['a preset and verbs', ['management-keys', 'create', 'x', '--preset', 'edge', '--verbs', 'keys:read']],
  ['a preset that there is not', ['management-keys', 'create', 'x', '--preset', 'all']],
  ['to clear what cannot be', ['subjects', 'change', 'alice', '--clear', 'disabled']],
])('%s is a mistake of usage', async (_what, args) => {
  const { exitCode, stdout, stderr } = await place.run(args)
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  expect(stderr).toMatch(/^error: /)
})
