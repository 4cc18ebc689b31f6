import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  codeOf,
  managementKey,
  openTestInstallation,
  type TestInstallation,
} from '../../test/installation.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { deleteRole } from '../roles/delete-role.ts'
import { putRole } from '../roles/put-role.ts'
import type { Scope } from '../scope.ts'
import { changeKey } from './change-key.ts'
import { createKey } from './create-key.ts'
import { deleteKey } from './delete-key.ts'
import { readKey } from './read-key.ts'
import { revokeKey } from './revoke-key.ts'
import { rotateKey } from './rotate-key.ts'

let installation: TestInstallation
let owner: Scope
/** May hand out everything of documents, and nothing else. */
let narrow: Scope
/** May manage keys, and hand out nothing at all. */
let empty: Scope

beforeAll(async () => {
  installation = await openTestInstallation()
  owner = await installation.scope()
  await putRole(owner, 'reader', { permissions: ['documents:read'] })
  await putRole(owner, 'billing', { permissions: ['billing:*'] })
  await putRole(owner, 'hollow', { permissions: [] })
  narrow = await actAs(['documents:*'])
  empty = await actAs([])
})
afterAll(() => installation.close())

async function actAs(grants: string[]): Promise<Scope> {
  const verbs = ['keys:read', 'keys:write', 'roles:read', 'roles:write']
  const { id } = await createManagementKey(owner, { name: 'caller', verbs, grants })
  return installation.scope('default', managementKey(id))
}

describe('creating keys within grants (M3)', () => {
  test('a narrow management key hands out what its grants cover', async () => {
    await createKey(narrow, { name: 'x', roles: ['reader'], permissions: ['documents:write'] })
    await createKey(narrow, { name: 'x', permissions: ['documents:*'] })
  })

  test.each<[string, Record<string, unknown>]>([
    ['a permission', { permissions: ['billing:read'] }],
    ['a pattern that is wider than its grant', { permissions: ['*:read'] }],
    ['everything', { permissions: ['*:*'] }],
    ['a role', { roles: ['billing'] }],
    ['one of many', { roles: ['reader', 'billing'], permissions: ['documents:read'] }],
    [
      'scopes that do not narrow enough',
      { permissions: ['*:*'], scopes: ['documents:read', 'billing:read'] },
    ],
    ['a scope of null, which does not narrow', { permissions: ['*:*'], scopes: null }],
  ])('a narrow management key cannot hand out more by %s', async (_, rights) => {
    expect(await codeOf(createKey(narrow, { name: 'x', ...rights }))).toBe('exceeds_grants')
  })

  test('scopes narrow what is held, and so what must be granted (R2)', async () => {
    await createKey(narrow, {
      name: 'x',
      permissions: ['*:*'],
      roles: ['billing'],
      scopes: ['documents:read'],
    })
  })

  test('an empty list of grants means none, not all', async () => {
    expect(await codeOf(createKey(empty, { name: 'x', roles: ['reader'] }))).toBe('exceeds_grants')
    expect(await codeOf(createKey(empty, { name: 'x', permissions: ['documents:read'] }))).toBe(
      'exceeds_grants',
    )
  })

  test('an empty list of roles, permissions or scopes means none, not all', async () => {
    const key = await createKey(empty, { name: 'x', roles: [], permissions: [] })
    expect(key).toMatchObject({ roles: [], permissions: [] })
    expect(await createKey(empty, { name: 'x', permissions: ['*:*'], scopes: [] })).toMatchObject({
      scopes: [],
    })
    expect(await createKey(empty, { name: 'x', permissions: ['*:*'], scopes: ['openid'] })).toBeDefined()
  })
})

describe('changing keys within grants (M3)', () => {
  test('taking away needs no grants', async () => {
    const { id } = await createKey(owner, {
      name: 'wide',
      roles: ['billing', 'reader'],
      permissions: ['documents:*'],
      metadata: { plan: 'pro' },
    })
    await changeKey(empty, id, { roles: ['reader'] })
    await changeKey(empty, id, { permissions: ['documents:read'] })
    await changeKey(empty, id, { scopes: ['*:read'] })
    await changeKey(empty, id, { scopes: ['documents:read'] })
    await changeKey(empty, id, { expiresAt: '2029-01-01T00:00:00Z' })
    await changeKey(empty, id, { expiresAt: '2028-01-01T00:00:00Z' })
    await changeKey(empty, id, { notBefore: '2027-01-02T00:00:00Z' })
    await changeKey(empty, id, { ipAllow: ['192.0.2.0/24', '198.51.100.1'] })
    await changeKey(empty, id, { ipAllow: ['198.51.100.1'] })
    await changeKey(empty, id, { disabled: true, name: 'narrow', metadata: { plan: 'pro' } })
    expect(await readKey(owner, id)).toMatchObject({
      name: 'narrow',
      roles: ['reader'],
      scopes: ['documents:read'],
    })
  })

  test.each<[string, Record<string, unknown>]>([
    ['a role', { roles: ['billing', 'reader'] }],
    ['a role that confers nothing yet', { roles: ['billing', 'hollow'] }],
    ['a permission', { permissions: ['billing:read', 'documents:read'] }],
    ['a scope', { scopes: ['billing:*', 'documents:read'] }],
    ['no scopes', { scopes: null }],
    ['a later expiry', { expiresAt: '2028-06-01T00:00:00Z' }],
    ['no expiry', { expiresAt: null }],
    ['an earlier beginning', { notBefore: '2027-01-01T12:00:00Z' }],
    ['no beginning', { notBefore: null }],
    ['another address', { ipAllow: ['192.0.2.1', '203.0.113.1'] }],
    ['every address', { ipAllow: null }],
    ['life again', { disabled: false }],
    ['metadata, which a service may act on', { metadata: { plan: 'enterprise' } }],
  ])(
    'a narrow management key cannot give a wide key %s, for it does not cover what the key holds',
    async (_, patch) => {
      const { id } = await createKey(owner, {
        name: 'wide',
        roles: ['billing'],
        permissions: ['billing:read'],
        scopes: ['billing:*'],
        expiresAt: '2028-01-01T00:00:00Z',
        notBefore: '2027-01-02T00:00:00Z',
        ipAllow: ['192.0.2.1'],
      })
      await changeKey(owner, id, { disabled: true })
      expect(await codeOf(changeKey(narrow, id, patch))).toBe('exceeds_grants')
    },
  )

  test('what is held after the change counts as well as before', async () => {
    const { id } = await createKey(owner, { name: 'x', permissions: ['documents:read'] })
    await changeKey(narrow, id, { permissions: ['documents:write'] })
    expect(await codeOf(changeKey(narrow, id, { permissions: ['billing:read'] }))).toBe('exceeds_grants')
    // Swapping rights that it does not cover for rights that it does is no way out either.
    const wide = await createKey(owner, { name: 'x', permissions: ['billing:read'] })
    expect(await codeOf(changeKey(narrow, wide.id, { permissions: ['documents:read'] }))).toBe(
      'exceeds_grants',
    )
  })
})

describe('rotating and ending keys within grants (M3)', () => {
  test('rotating hands the rights out to whoever gets the text', async () => {
    const wide = await createKey(owner, { name: 'wide', roles: ['billing'] })
    expect(await codeOf(rotateKey(narrow, wide.id))).toBe('exceeds_grants')
    const own = await createKey(owner, { name: 'own', roles: ['reader'] })
    await rotateKey(narrow, own.id)
  })

  test('roles count as they are when the command runs, not as they were at creation (R5)', async () => {
    await putRole(owner, 'growing', { permissions: ['documents:read'] })
    const { id } = await createKey(narrow, { name: 'x', roles: ['growing'] })
    await rotateKey(narrow, id)
    await putRole(owner, 'growing', { permissions: ['documents:read', 'billing:read'] })
    expect(await codeOf(rotateKey(narrow, id))).toBe('exceeds_grants')
    await deleteRole(owner, 'growing')
    await rotateKey(narrow, id)
  })

  test('revoking and deleting take away, and need none', async () => {
    const wide = await createKey(owner, { name: 'wide', permissions: ['*:*'] })
    await revokeKey(empty, wide.id)
    await deleteKey(empty, wide.id)
  })
})

describe('roles within grants (M3)', () => {
  test('a narrow management key neither makes nor widens a role beyond its grants', async () => {
    expect(await codeOf(putRole(narrow, 'mine', { permissions: ['billing:read'] }))).toBe('exceeds_grants')
    await putRole(narrow, 'mine', { permissions: ['documents:read'] })
    await putRole(narrow, 'mine', { permissions: ['documents:*'] })
    expect(await codeOf(putRole(narrow, 'mine', { permissions: ['*:*'] }))).toBe('exceeds_grants')
  })

  test('nor one that already confers more than it covers', async () => {
    await putRole(owner, 'mixed', { permissions: ['billing:read'] })
    expect(await codeOf(putRole(narrow, 'mixed', { permissions: ['billing:read', 'documents:read'] }))).toBe(
      'exceeds_grants',
    )
  })

  test('taking permissions away, and deleting a role, need none', async () => {
    await putRole(owner, 'shrinking', { permissions: ['billing:*', 'documents:*'] })
    await putRole(empty, 'shrinking', { permissions: ['billing:read'] })
    await deleteRole(empty, 'shrinking')
  })
})
