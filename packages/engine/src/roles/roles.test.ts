import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeOf, openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { createKey } from '../keys/create-key.ts'
import type { Scope } from '../scope.ts'
import { deleteRole } from './delete-role.ts'
import { listRoles } from './list-roles.ts'
import { putRole } from './put-role.ts'
import { readRole } from './read-role.ts'

let installation: TestInstallation
let scope: Scope

beforeAll(async () => {
  installation = await openTestInstallation()
  scope = await installation.scope()
})
afterAll(() => installation.close())

describe('roles', () => {
  test('are put, read, listed by name, and told to verifiers', async () => {
    installation.takeFacts('default')
    await putRole(scope, 'writer', { permissions: ['documents:write', 'documents:read', 'documents:read'] })
    const role = await putRole(scope, 'editor', { permissions: [] })
    expect(await readRole(scope, 'editor')).toEqual(role)
    expect((await listRoles(scope)).items.map(({ name }) => name)).toEqual(['editor', 'writer'])
    expect(installation.takeFacts('default')).toEqual([
      { type: 'role', name: 'writer', permissions: ['documents:write', 'documents:read'] },
      { type: 'role', name: 'editor', permissions: [] },
    ])
  })

  test('putting one again replaces its permissions and keeps its birth', async () => {
    const { createdAt } = await putRole(scope, 'again', { permissions: ['a:b'] })
    installation.clock.advance(1000)
    const role = await putRole(scope, 'again', { permissions: ['c:d'] })
    expect(role).toMatchObject({ permissions: ['c:d'], createdAt })
    expect(role.changedAt > createdAt).toBe(true)
  })

  test('the name of a deleted one is never used again (R5)', async () => {
    await putRole(scope, 'gone', { permissions: ['a:b'] })
    installation.takeFacts('default')
    await deleteRole(scope, 'gone')
    expect(installation.takeFacts('default')).toEqual([{ type: 'role', name: 'gone', permissions: null }])
    expect(await codeOf(putRole(scope, 'gone', { permissions: [] }))).toBe('name_retired')
    expect(await codeOf(readRole(scope, 'gone'))).toBe('not_found')
    expect(await codeOf(deleteRole(scope, 'gone'))).toBe('not_found')
    expect((await listRoles(scope)).items.map(({ name }) => name)).not.toContain('gone')
    expect(await codeOf(createKey(scope, { name: 'x', roles: ['gone'] }))).toBe('invalid_request')
  })

  test.each([
    ['two words', { permissions: [] }],
    ['', { permissions: [] }],
    ['fine', {}],
    ['fine', { permissions: ['documents'] }],
    ['fine', { permissions: ['documents:*read'] }],
    ['fine', { permissions: 'documents:read' }],
    ['fine', { permissions: [], members: [] }],
  ])('refuse the name %j with %j (R1)', async (name, input) => {
    expect(await codeOf(putRole(scope, name, input))).toBe('invalid_request')
  })

  test('are not kept in the project of the management keys (M4)', async () => {
    const management = await installation.scope('claviger')
    expect(await codeOf(putRole(management, 'x', { permissions: [] }))).toBe('invalid_request')
  })
})
