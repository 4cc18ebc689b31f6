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
import { deleteSubject } from './delete-subject.ts'
import { listSubjects } from './list-subjects.ts'
import { patchSubject } from './patch-subject.ts'
import { putSubject } from './put-subject.ts'
import { readSubject } from './read-subject.ts'

let installation: TestInstallation
let scope: Scope
/** A backend that may hand out everything of documents, and nothing else. */
let backend: Scope

beforeAll(async () => {
  installation = await openTestInstallation()
  scope = await installation.scope()
  await putRole(scope, 'reader', { permissions: ['documents:read'] })
  await putRole(scope, 'admin', { permissions: ['*:*'] })
  const key = await createManagementKey(scope, {
    name: 'backend',
    preset: 'backend',
    grants: ['documents:*'],
  })
  backend = await installation.scope('default', managementKey(key.id))
})
afterAll(() => installation.close())

describe('subject records', () => {
  test('are put, patched, read, listed and deleted, and told to verifiers (R6)', async () => {
    installation.takeFacts('default')
    const put = await putSubject(scope, 'u1', { roles: ['reader'], metadata: { plan: 'pro' } })
    expect(put).toMatchObject({ subject: 'u1', roles: ['reader'], permissions: null, disabled: false })
    const patched = await patchSubject(scope, 'u1', { disabled: true, permissions: [] })
    expect(patched).toMatchObject({
      roles: ['reader'],
      permissions: [],
      disabled: true,
      metadata: { plan: 'pro' },
    })
    expect(await readSubject(scope, 'u1')).toEqual(patched)
    expect((await listSubjects(scope, { disabled: true })).items).toEqual([patched])
    await deleteSubject(scope, 'u1')
    expect(await codeOf(readSubject(scope, 'u1'))).toBe('not_found')
    expect(await codeOf(deleteSubject(scope, 'u1'))).toBe('not_found')
    expect(await codeOf(patchSubject(scope, 'u1', { disabled: true }))).toBe('not_found')
    expect(installation.takeFacts('default')).toEqual([
      {
        type: 'subject',
        issuer: null,
        subject: 'u1',
        record: { roles: ['reader'], disabled: false, metadata: { plan: 'pro' } },
      },
      {
        type: 'subject',
        issuer: null,
        subject: 'u1',
        record: { roles: ['reader'], permissions: [], disabled: true, metadata: { plan: 'pro' } },
      },
      { type: 'subject', issuer: null, subject: 'u1', record: null },
    ])
  })

  test('put replaces: what is absent is gone; null in a patch drops a list', async () => {
    await putSubject(scope, 'u2', {
      roles: ['reader'],
      permissions: ['a:b'],
      disabled: true,
      metadata: { a: 1 },
    })
    expect(await patchSubject(scope, 'u2', { roles: null })).toMatchObject({
      roles: null,
      permissions: ['a:b'],
    })
    expect(await putSubject(scope, 'u2', {})).toMatchObject({
      roles: null,
      permissions: null,
      disabled: false,
      metadata: {},
    })
  })

  test.each([
    [{ roles: ['nobody'] }],
    [{ permissions: ['documents'] }],
    [{ limits: [{ name: 'quota', limit: 1, windowSeconds: 1 }] }],
    [{ disabled: 1 }],
    [{ subject: 'other' }],
  ])('refuse %j', async (input) => {
    expect(await codeOf(putSubject(scope, 'u3', input))).toBe('invalid_request')
  })

  test('refuse a patch that changes nothing', async () => {
    expect(await codeOf(patchSubject(scope, 'u3', {}))).toBe('invalid_request')
  })
})

describe('widening a subject record (M3)', () => {
  test('narrowing and disabling need no grants', async () => {
    await putSubject(scope, 'n1', { roles: ['admin'], permissions: ['billing:*', 'a:b'] })
    await patchSubject(backend, 'n1', { permissions: ['billing:read'] })
    await patchSubject(backend, 'n1', { roles: [], disabled: true })
    expect(await readSubject(scope, 'n1')).toMatchObject({
      roles: [],
      permissions: ['billing:read'],
      disabled: true,
    })
  })

  test('a record that neither bounds nor disables may come and go', async () => {
    await putSubject(backend, 'n2', { metadata: { plan: 'pro' } })
    await deleteSubject(backend, 'n2')
  })

  test('listing rights needs grants: a session without its own takes them (R6)', async () => {
    expect(await codeOf(putSubject(backend, 'w1', { permissions: ['billing:read'] }))).toBe('exceeds_grants')
    expect(await codeOf(putSubject(backend, 'w1', { roles: ['admin'] }))).toBe('exceeds_grants')
    await putSubject(backend, 'w1', { roles: ['reader'], permissions: ['documents:write'] })
  })

  test('adding to a list needs grants that cover the widened bound', async () => {
    await putSubject(scope, 'w2', { permissions: ['documents:read'] })
    await patchSubject(backend, 'w2', { permissions: ['documents:*'] })
    expect(await codeOf(patchSubject(backend, 'w2', { permissions: ['documents:*', 'billing:read'] }))).toBe(
      'exceeds_grants',
    )
  })

  test.each<[string, (subject: string) => Promise<unknown>]>([
    ['dropping the last list', (subject) => patchSubject(backend, subject, { permissions: null })],
    ['replacing it by an empty record', (subject) => putSubject(backend, subject, {})],
    ['deleting it', (subject) => deleteSubject(backend, subject)],
  ])('%s needs the grant *:*, since no bound remains', async (_, widen) => {
    await putSubject(scope, 'w3', { permissions: ['documents:read'] })
    expect(await codeOf(widen('w3'))).toBe('exceeds_grants')
    expect(await readSubject(scope, 'w3')).toMatchObject({ permissions: ['documents:read'] })
  })

  test('clearing `disabled` needs grants that cover the bound: *:* where there is none', async () => {
    await putSubject(scope, 'w4', { permissions: ['documents:read'], disabled: true })
    await patchSubject(backend, 'w4', { disabled: false })
    await putSubject(scope, 'w5', { disabled: true })
    expect(await codeOf(patchSubject(backend, 'w5', { disabled: false }))).toBe('exceeds_grants')
    expect(await codeOf(deleteSubject(backend, 'w5'))).toBe('exceeds_grants')
  })

  test('a role that confers nothing yet counts by its name', async () => {
    await putRole(scope, 'billing-admin', { permissions: ['billing:*'] })
    await putRole(scope, 'empty', { permissions: [] })
    await putSubject(scope, 'w6', { roles: ['billing-admin'] })
    expect(await codeOf(patchSubject(backend, 'w6', { roles: ['billing-admin', 'empty'] }))).toBe(
      'exceeds_grants',
    )
  })

  test('a list of deleted roles permits nothing: dropping it widens to everything', async () => {
    await putRole(scope, 'short-lived', { permissions: ['documents:read'] })
    await putSubject(scope, 'w7', { roles: ['short-lived'] })
    await deleteRole(scope, 'short-lived')
    await patchSubject(backend, 'w7', { metadata: { seen: true } })
    expect(await codeOf(patchSubject(backend, 'w7', { roles: null }))).toBe('exceeds_grants')
  })
})
