import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  codeOf,
  managementKey,
  openTestInstallation,
  type TestInstallation,
} from '../../test/installation.ts'
import { readSnapshot } from '../changes/snapshot.ts'
import { importKeys } from '../keys/import-keys.ts'
import { listKeys } from '../keys/list-keys.ts'
import { revokeKey } from '../keys/revoke-key.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { createProject } from '../projects/create-project.ts'
import type { Scope } from '../scope.ts'
import { readAlphabet } from './alphabet.ts'
import { deleteKeyShape } from './delete-key-shape.ts'
import { listKeyShapes } from './list-key-shapes.ts'
import { putKeyShape } from './put-key-shape.ts'
import { readKeyShape } from './read-key-shape.ts'

let installation: TestInstallation
let scope: Scope
let other: Scope

const HEX = { prefix: 'old_', alphabet: '0-9a-f', length: 40, hashEncoding: 'hex' }

beforeAll(async () => {
  installation = await openTestInstallation()
  scope = await installation.scope()
  await createProject(scope, { name: 'other' })
  other = await installation.scope('other')
})
afterAll(() => installation.close())

test('an alphabet is written with ranges', () => {
  expect(readAlphabet('0-9a-f')).toBe('0123456789abcdef')
  expect(readAlphabet('1-9A-HJ-NP-Za-km-z')).toHaveLength(58)
  expect(readAlphabet('a-c_-')).toBe('-_abc')
  expect(readAlphabet('aab')).toBe('ab')
  for (const bad of ['z-a', 'A-z', '0-Z']) expect(readAlphabet(bad)).toBeUndefined()
})

describe('registering a key shape', () => {
  test('tells verifiers, and is in their snapshot', async () => {
    installation.takeFacts('default')
    const view = await putKeyShape(scope, 'hex', HEX)
    expect(view).toMatchObject({ name: 'hex', alphabet: '0123456789abcdef', minLength: 40, randomBits: 160 })
    const fact = {
      type: 'key-shape',
      name: 'hex',
      shape: { prefix: 'old_', alphabet: '0123456789abcdef', minLength: 40, length: 40 },
    }
    expect(installation.takeFacts('default')).toEqual([fact])
    const { facts } = await readSnapshot(installation.reader, { projectId: 'default', nowMs: 0 })
    expect(facts).toContainEqual(fact)
  })

  test('changes nothing when it is the same, and is refused when it is another of the name', async () => {
    await putKeyShape(scope, 'twice', { ...HEX, prefix: 'twice_' })
    installation.takeFacts('default')
    await putKeyShape(scope, 'twice', { ...HEX, prefix: 'twice_', alphabet: 'a-f0-9', minLength: 40 })
    expect(installation.takeFacts('default')).toEqual([])
    expect(await codeOf(putKeyShape(scope, 'twice', { ...HEX, prefix: 'twice_', length: 41 }))).toBe(
      'already_exists',
    )
  })

  test.each([
    ['fewer than 128 bits', { ...HEX, length: 31 }],
    ['our own form', { ...HEX, alphabet: '0-9A-Za-z', length: 44 }],
    ['a dot', { ...HEX, alphabet: '0-9a-f.' }],
    ['a management key', { ...HEX, prefix: 'clv_mgmt_' }],
    ['a refresh token', { ...HEX, prefix: 'ck_rt_' }],
    ['a range that is none', { ...HEX, alphabet: '9-0a-f' }],
    ['an unknown encoding', { ...HEX, hashEncoding: 'base32' }],
    ['another algorithm', { ...HEX, hashAlgorithm: 'md5' }],
  ])('is refused for %s', async (_, input) => {
    expect(await codeOf(putKeyShape(scope, 'bad', input))).toBe('invalid_request')
  })

  test('M1: is not for the project of the management keys', async () => {
    expect(await codeOf(putKeyShape(await installation.scope('claviger'), 'x', HEX))).toBe('invalid_request')
  })

  test('F3: a shape of another project is not found there', async () => {
    expect(await codeOf(readKeyShape(other, 'hex'))).toBe('not_found')
    expect((await listKeyShapes(other)).items).toEqual([])
    expect(await codeOf(deleteKeyShape(other, 'hex'))).toBe('not_found')
    expect((await readKeyShape(scope, 'hex')).name).toBe('hex')
  })

  test('M6: needs the verb `keys:write`', async () => {
    const { id } = await createManagementKey(scope, { name: 'reader', verbs: ['keys:read'] })
    const reader = await installation.scope('default', managementKey(id))
    expect(await codeOf(putKeyShape(reader, 'x', HEX))).toBe('forbidden')
    expect(await codeOf(deleteKeyShape(reader, 'hex'))).toBe('forbidden')
    expect((await listKeyShapes(reader)).items.length).toBeGreaterThan(0)
  })

  test('ends at 32, also side by side', async () => {
    const project = await createProject(scope, { name: 'many' })
    const many = await installation.scope(project.name)
    const calls = await Promise.allSettled(
      Array.from({ length: 50 }, (_, at) => putKeyShape(many, `shape-${at}`, HEX)),
    )
    expect(calls.filter(({ status }) => status === 'fulfilled')).toHaveLength(32)
  })
})

describe('deleting a key shape', () => {
  test('is refused while a key lives that is known by a text of it', async () => {
    await putKeyShape(scope, 'used', { ...HEX, prefix: 'used_' })
    await importKeys(scope, { shape: 'used', keys: [{ hash: 'ab'.repeat(32), subject: 'user' }] })
    expect(await codeOf(deleteKeyShape(scope, 'used'))).toBe('in_use')
    const [key] = (await listKeys(scope, { subject: 'user' })).items
    await revokeKey(scope, key?.id ?? '')
    installation.takeFacts('default')
    await deleteKeyShape(scope, 'used')
    expect(installation.takeFacts('default')).toEqual([{ type: 'key-shape', name: 'used', shape: null }])
    expect(await codeOf(readKeyShape(scope, 'used'))).toBe('not_found')
  })
})
