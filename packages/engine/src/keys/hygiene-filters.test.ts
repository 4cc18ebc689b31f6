import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { deleteRole } from '../roles/delete-role.ts'
import { putRole } from '../roles/put-role.ts'
import type { Scope } from '../scope.ts'
import { putSubject } from '../subjects/put-subject.ts'
import { createKey as createKeyNow } from './create-key.ts'
import { listKeys } from './list-keys.ts'
import { rotateKey } from './rotate-key.ts'

const DAY = 86_400

let installation: TestInstallation
let scope: Scope

beforeAll(async () => {
  installation = await openTestInstallation()
  scope = await installation.scope()
})
afterAll(() => installation.close())

/** Ids of one millisecond have no order, and the lists are in the order of ids. */
function createKey(...[place, input]: Parameters<typeof createKeyNow>): ReturnType<typeof createKeyNow> {
  installation.clock.advance(1)
  return createKeyNow(place, input)
}

const advanceDays = (days: number): void => installation.clock.advance(days * DAY * 1000)
const inDays = (days: number): string =>
  new Date(installation.clock.nowMs() + days * DAY * 1000).toISOString()

async function use(keyId: string): Promise<void> {
  const identity = { projectId: 'default', kind: 'key', keyId, subject: keyId } as const
  const uses = [
    { ...identity, outcome: 'ok', tags: '[]', ip: '', count: 1, atMs: installation.clock.nowMs() },
  ]
  await installation.writer.run('record-usage', { uses }, { kind: 'installation' })
}

/** The names of a subject's keys that the filters find, over all pages. */
async function namesOf(subject: string, filters: Record<string, unknown>): Promise<string[]> {
  const names: string[] = []
  let cursor: string | undefined
  do {
    const page = await listKeys(scope, { subject, ...filters, ...(cursor === undefined ? {} : { cursor }) })
    names.push(...page.items.map(({ name }) => name))
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return names
}

test('keys that were never used, or not for a while, are found', async () => {
  const subject = 'unused'
  const old = await createKey(scope, { name: 'used long ago', subject })
  await createKey(scope, { name: 'never used', subject })
  const daily = await createKey(scope, { name: 'used today', subject })
  await use(old.id)
  advanceDays(31)
  await use(daily.id)
  await createKey(scope, { name: 'new', subject })
  expect(await namesOf(subject, { neverUsed: true })).toEqual(['never used', 'new'])
  expect(await namesOf(subject, { neverUsed: false })).toEqual(['used long ago', 'used today'])
  expect(await namesOf(subject, { unusedForSeconds: 30 * DAY })).toEqual(['used long ago', 'never used'])
  expect(await namesOf(subject, { neverUsed: true, unusedForSeconds: 30 * DAY })).toEqual(['never used'])
})

test('keys that expire soon, have expired, or never will are found', async () => {
  const subject = 'expiring'
  await createKey(scope, { name: 'gone', subject, expiresAt: inDays(1) })
  advanceDays(2)
  await createKey(scope, { name: 'soon', subject, expiresAt: inDays(7) })
  await createKey(scope, { name: 'later', subject, expiresAt: inDays(8) })
  await createKey(scope, { name: 'never', subject })
  expect(await namesOf(subject, { expiresWithinSeconds: 7 * DAY })).toEqual(['soon'])
  expect(await namesOf(subject, { status: 'expired' })).toEqual(['gone'])
  expect(await namesOf(subject, { neverExpires: true })).toEqual(['never'])
  expect(await namesOf(subject, { neverExpires: false })).toEqual(['gone', 'soon', 'later'])
})

test('keys that nothing limits are found, be it their own limits or those of their subject', async () => {
  const limits = [{ name: 'burst', limit: 10, windowSeconds: 1 }]
  await putSubject(scope, 'limited subject', { quota: { limit: 5, refill: 'daily' } })
  await putSubject(scope, 'plain subject', {})
  await createKey(scope, { name: 'by its subject', subject: 'limited subject' })
  await createKey(scope, { name: 'by itself', subject: 'plain subject', limits })
  await createKey(scope, { name: 'free', subject: 'plain subject' })
  expect(await namesOf('limited subject', { unlimited: true })).toEqual([])
  expect(await namesOf('limited subject', { unlimited: false })).toEqual(['by its subject'])
  expect(await namesOf('plain subject', { unlimited: true })).toEqual(['free'])
  expect(await namesOf('plain subject', { unlimited: false })).toEqual(['by itself'])
})

test('keys whose text is old are found, whatever was changed but their text', async () => {
  const subject = 'rotation'
  await createKey(scope, { name: 'old', subject })
  const rotated = await createKey(scope, { name: 'rotated', subject })
  advanceDays(90)
  await rotateKey(scope, rotated.id, {})
  await createKey(scope, { name: 'new', subject })
  expect(await namesOf(subject, { notRotatedForSeconds: 90 * DAY })).toEqual(['old'])
  expect(await namesOf(subject, { notRotatedForSeconds: 91 * DAY })).toEqual([])
})

test('R2: a key is over-broad by what it may do: by itself or by a role, and once its scopes have narrowed it', async () => {
  const subject = 'broad'
  await putRole(scope, 'every_thing', { permissions: ['*:*'] })
  await putRole(scope, 'every-reader', { permissions: ['*:read', 'a:b'] })
  await putRole(scope, 'narrow', { permissions: ['documents:*'] })
  await putRole(scope, 'gone', { permissions: ['*:*'] })
  await createKey(scope, { name: 'by itself', subject, permissions: ['*:*'] })
  await createKey(scope, { name: 'every read', subject, permissions: ['a:b', '*:read'] })
  await createKey(scope, { name: 'by a role', subject, roles: ['narrow', 'every_thing'] })
  await createKey(scope, { name: 'by another role', subject, roles: ['every-reader'] })
  await createKey(scope, { name: 'one resource', subject, roles: ['narrow'], permissions: ['billing:*'] })
  await createKey(scope, { name: 'narrowed', subject, permissions: ['*:*'], scopes: ['documents:read'] })
  await createKey(scope, { name: 'of a deleted role', subject, roles: ['gone'] })
  await deleteRole(scope, 'gone')
  await createKey(scope, { name: 'nothing', subject })
  const broad = ['by itself', 'every read', 'by a role', 'by another role']
  expect(await namesOf(subject, { overBroad: true })).toEqual(broad)
  expect(await namesOf(subject, { overBroad: true, limit: 1 })).toEqual(broad)
  const others = ['one resource', 'narrowed', 'of a deleted role', 'nothing']
  expect(await namesOf(subject, { overBroad: false })).toEqual(others)
})

test('over-broad keys are found among more roles than are searched for one by one', async () => {
  const subject = 'many-roles'
  const names = Array.from({ length: 60 }, (_, index) => `wide-${index}`)
  await Promise.all(names.map((name) => putRole(scope, name, { permissions: ['*:read'] })))
  await createKey(scope, { name: 'wide', subject, roles: ['wide-59'] })
  await createKey(scope, { name: 'narrow', subject, roles: ['narrow'] })
  expect(await namesOf(subject, { overBroad: true })).toEqual(['wide'])
})

test('a page looks at a bounded number of keys, and the pages together find what a walk through all would', async () => {
  const subject = 'crowd'
  const create = (name: string) => createKey(scope, { name, subject })
  await create('first of few')
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 500 }, () => create('one of many')))
  }
  await create('last of few')
  const first = await listKeys(scope, { subject, name: 'last of few' })
  expect(first.items).toEqual([])
  expect(first.nextCursor).not.toBeNull()
  expect(await namesOf(subject, { name: 'last of few' })).toEqual(['last of few'])
  expect(await namesOf(subject, { name: 'first of few', neverUsed: true })).toEqual(['first of few'])
  expect(await namesOf(subject, { name: 'one of many', limit: 200 })).toHaveLength(2_500)
  // Without a filter to walk by, a page is full.
  expect((await listKeys(scope, { subject, limit: 200 })).items).toHaveLength(200)
}, 60_000)
