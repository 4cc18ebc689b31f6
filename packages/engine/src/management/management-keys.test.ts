import { parseKeyString, sha256 } from '@claviger/verify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  codeOf,
  managementKey,
  openTestInstallation,
  type TestInstallation,
} from '../../test/installation.ts'
import { createKey } from '../keys/create-key.ts'
import { readKey } from '../keys/read-key.ts'
import { createProject } from '../projects/create-project.ts'
import { listProjects } from '../projects/list-projects.ts'
import { readProject } from '../projects/read-project.ts'
import { putRole } from '../roles/put-role.ts'
import type { Scope } from '../scope.ts'
import { changeManagementKey } from './change-management-key.ts'
import { createManagementKey } from './create-management-key.ts'
import { deleteManagementKey } from './delete-management-key.ts'
import { listManagementKeys } from './list-management-keys.ts'
import { readManagementKey } from './read-management-key.ts'
import { revokeManagementKey } from './revoke-management-key.ts'
import { resetRootKey } from './root-key.ts'
import { rotateManagementKey } from './rotate-management-key.ts'
import { PRESETS, VERBS } from './verbs.ts'

let installation: TestInstallation
let scope: Scope

beforeAll(async () => {
  installation = await openTestInstallation()
  scope = await installation.scope()
  await createProject(scope, { name: 'other' })
})
afterAll(() => installation.close())

/** A place to work in as a new management key. */
async function actAs(
  input: Record<string, unknown>,
  project = 'default',
): Promise<Scope & { keyId: string }> {
  const key = await createManagementKey(await installation.scope(project), { name: 'caller', ...input })
  return { ...(await installation.scope(project, managementKey(key.id))), keyId: key.id }
}

async function rootKeyId(): Promise<string> {
  const { items } = await listManagementKeys(scope, { status: 'active' })
  const root = items.find(({ project }) => project === null)
  if (root === undefined) throw new Error('there is no root key')
  return root.id
}

describe('an installation', () => {
  test('has the projects `default` and `claviger`, and one root key with every verb (M1)', async () => {
    const { items } = await listProjects(scope)
    expect(items.map(({ name }) => name)).toEqual(['claviger', 'default', 'other'])
    expect(items.map(({ id }) => id).slice(0, 2)).toEqual(['claviger', 'default'])
    const root = await readManagementKey(scope, await rootKeyId())
    expect(root).toMatchObject({
      name: 'root',
      prefix: 'clv_root',
      project: null,
      grants: ['*:*'],
      verbs: VERBS,
    })
    expect(parseKeyString(installation.rootKey.reveal())?.locator).toBe(root.secrets[0]?.locator)
  })

  test('gives its root key away to no log', () => {
    expect(`${installation.rootKey} ${JSON.stringify(installation.rootKey)}`).not.toContain('clv_root')
  })

  test('a new project has a head of its own and a signing key', async () => {
    const { id } = await createProject(scope, { name: 'with-key', keyPrefix: 'acme', algorithm: 'ES256' })
    const { credential } = await createKey(await installation.scope('with-key'), { name: 'a' })
    expect(credential).toMatch(/^acme_/)
    const row = await installation.reader
      .selectFrom('projects')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    expect(row.head).toBe(2)
    expect(row.epoch).toMatch(/^1-[0-9A-Za-z]{8}$/)
    const signing = await installation.reader
      .selectFrom('signing_keys')
      .select(['algorithm', 'status'])
      .where('project_id', '=', id)
      .execute()
    expect(signing).toContainEqual({ algorithm: 'ES256', status: 'active' })
  })

  test.each([['default'], ['claviger']])('a project cannot take the name %s', async (name) => {
    expect(await codeOf(createProject(scope, { name }))).toBe('already_exists')
  })

  test.each([['Upper'], ['a--b'], ['-a'], ['a/b'], ['']])('a project cannot be named %j', async (name) => {
    expect(await codeOf(createProject(scope, { name }))).toBe('invalid_request')
  })
})

describe('management keys', () => {
  test('are bound to a project, with verbs of a preset and no grants unless some are given (M1)', async () => {
    const { credential, ...view } = await createManagementKey(scope, { name: 'gateway', preset: 'gateway' })
    expect(parseKeyString(credential)?.prefix).toBe('clv_mgmt')
    expect(view).toMatchObject({ project: 'default', verbs: PRESETS.gateway, grants: [], status: 'active' })
    expect(await readManagementKey(scope, view.id)).toEqual(view)
    expect((await listManagementKeys(scope, { project: 'default' })).items).toContainEqual(view)
    expect((await listManagementKeys(scope, { project: 'other' })).items).toEqual([])
  })

  test.each<[string, Record<string, unknown>]>([
    ['neither preset nor verbs', {}],
    ['both', { preset: 'edge', verbs: ['keys:read'] }],
    ['an empty list of verbs', { verbs: [] }],
    ['a verb that is none', { verbs: ['keys:*'] }],
    ['a grant that is no permission', { preset: 'edge', grants: ['everything'] }],
    ['a subject', { preset: 'edge', subject: 'u1' }],
    ['an expiry that lies behind', { preset: 'edge', expiresAt: '2026-01-01T00:00:00Z' }],
    ['the project of the management keys', { preset: 'edge', project: 'claviger' }],
  ])('are refused with %s', async (_, input) => {
    expect(await codeOf(createManagementKey(scope, { name: 'x', ...input }))).toBe('invalid_request')
  })

  test('are revoked in the feed of their own project, which holds what they issued (V5)', async () => {
    const { id, credential } = await createManagementKey(scope, {
      name: 'x',
      preset: 'backend',
      project: 'other',
    })
    const other = (await readProject(scope, 'other')).id
    for (const project of ['claviger', 'default', other]) installation.takeFacts(project)
    await changeManagementKey(scope, id, { disabled: true })
    expect(installation.takeFacts(other)).toEqual([{ type: 'client', id, disabled: true }])
    await revokeManagementKey(scope, id)
    expect(installation.takeFacts(other)).toEqual([
      { type: 'revocation', rule: expect.objectContaining({ kind: 'client', target: id, only: 'tokens' }) },
    ])
    expect(installation.takeFacts('default')).toEqual([])
    expect(installation.takeFacts('claviger')).toContainEqual({
      type: 'key',
      id,
      digests: [sha256(credential)],
    })
  })

  test('keep what they issued when asked to (V5)', async () => {
    const { id } = await createManagementKey(scope, { name: 'x', preset: 'backend' })
    installation.takeFacts('default')
    await revokeManagementKey(scope, id, { keepIssued: true })
    expect(installation.takeFacts('default')).toEqual([])
  })

  test('never change the project that they are bound to', async () => {
    const { id } = await createManagementKey(scope, { name: 'x', preset: 'edge' })
    expect(await codeOf(changeManagementKey(scope, id, { project: 'other' }))).toBe('invalid_request')
  })

  test('are found by no operation on customers’ keys, nor those by operations on these (M4)', async () => {
    const management = await createManagementKey(scope, { name: 'x', preset: 'edge' })
    const customer = await createKey(scope, { name: 'x' })
    expect(await codeOf(readKey(await installation.scope('claviger'), management.id))).toBe('not_found')
    expect(await codeOf(readManagementKey(scope, customer.id))).toBe('not_found')
    expect(await codeOf(rotateManagementKey(scope, customer.id))).toBe('not_found')
    expect(await codeOf(revokeManagementKey(scope, customer.id))).toBe('not_found')
    expect(await codeOf(changeManagementKey(scope, customer.id, { verbs: ['keys:read'] }))).toBe('not_found')
  })
})

describe('attacks on management keys (M3)', () => {
  const MANAGER = {
    verbs: ['management-keys:read', 'management-keys:write', 'keys:read'],
    grants: ['documents:*'],
  }

  test('a narrow one mints no wider one: neither by verbs nor by grants', async () => {
    const caller = await actAs(MANAGER)
    const make = (input: Record<string, unknown>) => createManagementKey(caller, { name: 'x', ...input })
    expect(await codeOf(make({ verbs: ['keys:write'] }))).toBe('exceeds_grants')
    expect(await codeOf(make({ preset: 'backend' }))).toBe('exceeds_grants')
    expect(await codeOf(make({ verbs: ['keys:read'], grants: ['billing:read'] }))).toBe('exceeds_grants')
    expect(await codeOf(make({ verbs: ['keys:read'], grants: ['*:read'] }))).toBe('exceeds_grants')
    expect(await codeOf(make({ verbs: ['keys:read'], grants: ['*:*'] }))).toBe('exceeds_grants')
    await make({ verbs: ['keys:read'], grants: ['documents:read'] })
  })

  test('a narrow one neither widens, nor enables, nor prolongs, nor rotates a wider one', async () => {
    const caller = await actAs(MANAGER)
    const wide = await createManagementKey(scope, {
      name: 'wide',
      preset: 'backend',
      expiresAt: '2030-01-01T00:00:00Z',
      ipAllow: ['192.0.2.1'],
    })
    await changeManagementKey(caller, wide.id, { name: 'renamed' })
    await changeManagementKey(caller, wide.id, { expiresAt: '2029-01-01T00:00:00Z' })
    await changeManagementKey(caller, wide.id, { disabled: true })
    for (const patch of [
      { verbs: [...PRESETS.backend, 'audit:read'] },
      { grants: ['documents:read'] },
      { disabled: false },
      { expiresAt: '2029-06-01T00:00:00Z' },
      { expiresAt: null },
      { ipAllow: ['192.0.2.1', '198.51.100.0/24'] },
      { ipAllow: null },
    ]) {
      expect(await codeOf(changeManagementKey(caller, wide.id, patch))).toBe('exceeds_grants')
    }
    expect(await codeOf(rotateManagementKey(caller, wide.id))).toBe('exceeds_grants')
    await revokeManagementKey(caller, wide.id)
  })

  test('a narrow one cannot widen itself, whatever it hands back first', async () => {
    const caller = await actAs(MANAGER)
    expect(await codeOf(changeManagementKey(caller, caller.keyId, { grants: ['*:*'] }))).toBe(
      'exceeds_grants',
    )
    expect(await codeOf(changeManagementKey(caller, caller.keyId, { verbs: [...VERBS] }))).toBe(
      'exceeds_grants',
    )
    await changeManagementKey(caller, caller.keyId, { grants: ['documents:read'] })
    expect(await codeOf(changeManagementKey(caller, caller.keyId, { grants: ['documents:*'] }))).toBe(
      'exceeds_grants',
    )
  })

  test('a narrow one cannot swap power that it lacks for power that it has', async () => {
    const caller = await actAs(MANAGER)
    const other = await createManagementKey(scope, {
      name: 'x',
      verbs: ['keys:write'],
      grants: ['billing:*'],
    })
    const swap = { verbs: ['keys:read'], grants: ['documents:read'] }
    expect(await codeOf(changeManagementKey(caller, other.id, swap))).toBe('exceeds_grants')
  })

  test('a bound one sees no other project, and no management key of another (M2)', async () => {
    const caller = await actAs({ verbs: [...VERBS], grants: ['*:*'] })
    const foreign = await createManagementKey(scope, { name: 'x', preset: 'edge', project: 'other' })
    const root = await rootKeyId()
    for (const id of [foreign.id, root]) {
      expect(await codeOf(readManagementKey(caller, id))).toBe('not_found')
      expect(await codeOf(rotateManagementKey(caller, id))).toBe('not_found')
      expect(await codeOf(changeManagementKey(caller, id, { disabled: true }))).toBe('not_found')
      expect(await codeOf(revokeManagementKey(caller, id))).toBe('not_found')
      expect(await codeOf(deleteManagementKey(caller, id))).toBe('not_found')
    }
    const bound = { name: 'x', preset: 'edge', project: 'other' }
    expect(await codeOf(createManagementKey(caller, bound))).toBe('not_found')
    const { items } = await listManagementKeys(caller)
    expect(new Set(items.map(({ project }) => project))).toEqual(new Set(['default']))
    const abroad: Scope = { ...(await installation.scope('other')), actor: caller.actor }
    expect(await codeOf(createKey(abroad, { name: 'x' }))).toBe('not_found')
    expect(await codeOf(putRole(abroad, 'x', { permissions: [] }))).toBe('not_found')
    expect(await codeOf(listManagementKeys(abroad))).toBe('not_found')
  })

  test('a bound one neither makes projects nor sees others, with all verbs (M2)', async () => {
    const caller = await actAs({ verbs: [...VERBS], grants: ['*:*'] })
    expect(await codeOf(createProject(caller, { name: 'mine' }))).toBe('forbidden')
    expect((await listProjects(caller)).items.map(({ name }) => name)).toEqual(['default'])
    expect(await codeOf(readProject(caller, 'other'))).toBe('not_found')
  })

  test('root keeps every verb and grant, and nobody takes some of them away', async () => {
    const id = await rootKeyId()
    expect(await codeOf(changeManagementKey(scope, id, { grants: [] }))).toBe('invalid_request')
    expect(await codeOf(changeManagementKey(scope, id, { verbs: ['keys:read'] }))).toBe('invalid_request')
  })

  test('one that rotates itself needs an overlap of a minute: a lost answer locks nobody out (C7)', async () => {
    const caller = await actAs(MANAGER)
    for (const overlapSeconds of [0, 59]) {
      expect(await codeOf(rotateManagementKey(caller, caller.keyId, { overlapSeconds }))).toBe(
        'invalid_request',
      )
    }
    await rotateManagementKey(caller, caller.keyId, { overlapSeconds: 60 })
    await rotateManagementKey(scope, caller.keyId, { overlapSeconds: 0 })
  })
})

describe('a management key that is no more', () => {
  const WRITER = { verbs: ['roles:write', 'roles:read', 'management-keys:write'], grants: ['*:*'] }

  test('has no command committed after its revocation was acknowledged, not even one in flight', async () => {
    const caller = await actAs(WRITER)
    const before = putRole(caller, 'in-time', { permissions: ['a:b'] })
    const revocation = revokeManagementKey(scope, caller.keyId)
    const after = putRole(caller, 'too-late', { permissions: ['a:b'] })
    await Promise.all([before, revocation])
    expect(await codeOf(after)).toBe('unauthenticated')
    expect(await codeOf(putRole(caller, 'much-later', { permissions: [] }))).toBe('unauthenticated')
  })

  test.each<[string, (id: string) => Promise<unknown>]>([
    ['disabled', (id) => changeManagementKey(scope, id, { disabled: true })],
    ['deleted', (id) => deleteManagementKey(scope, id)],
    [
      'expired',
      async (id) => {
        const expiresAt = new Date(installation.clock.nowMs() + 1000).toISOString()
        await changeManagementKey(scope, id, { expiresAt })
        installation.clock.advance(1000)
      },
    ],
  ])('may do nothing once it is %s', async (_, end) => {
    const caller = await actAs(WRITER)
    await putRole(caller, 'alive', { permissions: [] })
    await end(caller.keyId)
    expect(await codeOf(putRole(caller, 'alive', { permissions: [] }))).toBe('unauthenticated')
    expect(await codeOf(listManagementKeys(caller))).toBe('unauthenticated')
  })

  test('is not one: a customer’s key never manages, whatever its rights are called (M4)', async () => {
    const permissions = ['keys:write', 'roles:write', 'management-keys:write', '*:*']
    const { id } = await createKey(scope, { name: 'x', permissions })
    const customer = await installation.scope('default', managementKey(id))
    expect(await codeOf(putRole(customer, 'x', { permissions: [] }))).toBe('unauthenticated')
    expect(await codeOf(createManagementKey(customer, { name: 'x', preset: 'edge' }))).toBe('unauthenticated')
    expect(await codeOf(listProjects(customer))).toBe('unauthenticated')
  })

  test('does nothing that it has no verb for (M1)', async () => {
    const caller = await actAs({ preset: 'auditor' })
    expect(await codeOf(createKey(caller, { name: 'x' }))).toBe('forbidden')
    expect(await codeOf(putRole(caller, 'x', { permissions: [] }))).toBe('forbidden')
    expect(await codeOf(createManagementKey(caller, { name: 'x', preset: 'edge' }))).toBe('forbidden')
    await listManagementKeys(caller)
  })
})

describe('resetting the root key', () => {
  test('ends every root key with all that was issued to it, in every project (V5), and makes one', async () => {
    const before = await rootKeyId()
    const projects = await listProjects(scope)
    for (const { id } of projects.items) installation.takeFacts(id)
    const text = await resetRootKey(scope)
    for (const { id } of projects.items) {
      expect(installation.takeFacts(id)).toContainEqual({
        type: 'revocation',
        rule: expect.objectContaining({ kind: 'client', target: before, only: 'tokens' }),
      })
    }
    expect(await readManagementKey(scope, before)).toMatchObject({ status: 'revoked' })
    const after = await readManagementKey(scope, await rootKeyId())
    expect(after.id).not.toBe(before)
    expect(parseKeyString(text.reveal())?.locator).toBe(after.secrets[0]?.locator)
  })

  test('is not for management keys, root itself included', async () => {
    const root = await installation.scope('default', managementKey(await rootKeyId()))
    expect(await codeOf(resetRootKey(root))).toBe('forbidden')
  })
})
