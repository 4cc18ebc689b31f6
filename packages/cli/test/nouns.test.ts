import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Place, startServer } from './command-line.ts'

let place: Place

beforeAll(async () => {
  place = await startServer()
  await place.json(['roles', 'put', 'reader', 'documents:read'])
})
afterAll(() => place.remove())

test('what a project may hold is changed and shown', async () => {
  const caps = ['--cap', 'keys=7', '--cap', 'roles=default']
  const changed = await place.json(['projects', 'change', 'default', ...caps])
  expect(changed).toMatchObject({ name: 'default', caps: { keys: 7, roles: 1000 } })
  const reset = await place.run(['projects', 'change', 'default', '--cap', 'keys=default'])
  expect(reset.stdout).toMatch(/^cap keys +2000000 *$/m)
  const wrong = await place.run(['projects', 'change', 'default', '--cap', 'keys'])
  expect(wrong.stderr).toContain('NAME=NUMBER')
})

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

/** The verdict on a credential that is asked to read documents. */
async function verdictOn(credential: string): Promise<string> {
  const { stdout } = await place.run(['verify', '-', '--permissions', 'documents:read'], {
    input: credential,
  })
  return stdout.split(':')[0] ?? ''
}

test('a subject is bounded, and freed again', async () => {
  const key = await place.json(['keys', 'create', 'k', '--subject', 'alice', '--roles', 'reader'])
  const put = await place.json(['subjects', 'put', 'alice', '--roles', '', '--metadata', '{"plan":"pro"}'])
  expect(put).toMatchObject({ subject: 'alice', roles: [], permissions: null, metadata: { plan: 'pro' } })
  expect(await verdictOn(key.credential)).toBe('insufficient_permissions')
  const changed = await place.json(['subjects', 'change', 'alice', '--clear', 'roles'])
  expect(changed).toMatchObject({ roles: null, metadata: { plan: 'pro' } })
  expect(await verdictOn(key.credential)).toBe('ok')
  expect((await place.run(['subjects', 'read', 'alice'])).stdout).toContain('{"plan":"pro"}')
})

test('a subject without a record is disabled, enabled, and its record deleted', async () => {
  const key = await place.json(['keys', 'create', 'k', '--subject', 'bob', '--roles', 'reader'])
  expect((await place.run(['subjects', 'enable', 'bob'])).exitCode).toBe(1)
  expect((await place.run(['subjects', 'disable', 'bob'])).stdout).toMatch(/^disabled +yes$/m)
  expect(await verdictOn(key.credential)).toBe('disabled')
  expect((await place.run(['subjects', 'list', '--disabled'])).stdout).toMatch(
    /^bob +not bounded +not bounded +yes /m,
  )
  expect(await place.json(['subjects', 'enable', 'bob'])).toMatchObject({ disabled: false })
  expect(await verdictOn(key.credential)).toBe('ok')
  expect((await place.run(['subjects', 'delete', 'bob'])).stdout).toBe('The record is gone.\n')
  expect((await place.run(['subjects', 'read', 'bob'])).exitCode).toBe(1)
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

test('a management key is listed, shown and changed', async () => {
  const verbs = ['--verbs', 'tokens:mint,keys:read', '--grants', 'documents:read']
  const { credential: _, ...created } = await place.json(['management-keys', 'create', 'minter', ...verbs])
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
})

test('a management key is rotated, revoked and deleted', async () => {
  const preset = ['--preset', 'auditor']
  const { id, credential } = await place.json(['management-keys', 'create', 'auditor', ...preset])
  const rotated = await place.json(['management-keys', 'rotate', id, '--overlap-seconds', '60'])
  expect(rotated.credential).not.toBe(credential)
  expect((await place.run(['management-keys', 'read', id])).stdout).toMatch(
    /^text +clv_mgmt_\w{8}… since .*, until /m,
  )
  const revoked = await place.json(['management-keys', 'revoke', id, '--reason', 'test'])
  expect(revoked).toMatchObject({ effective: true })
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
