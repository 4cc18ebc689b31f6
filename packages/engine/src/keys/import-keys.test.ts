import { createHash, randomBytes } from 'node:crypto'
import { sha256, Verifier } from '@claviger/verify'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  codeOf,
  managementKey,
  openTestInstallation,
  type TestInstallation,
} from '../../test/installation.ts'
import { listAuditEntries } from '../audit/list-entries.ts'
import { DatabaseSource } from '../changes/database-source.ts'
import { putKeyShape } from '../key-shapes/put-key-shape.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { createProject } from '../projects/create-project.ts'
import { createRevocation, type RevocationScope } from '../revocation/create-revocation.ts'
import { putRole } from '../roles/put-role.ts'
import type { Scope } from '../scope.ts'
import { putSubject } from '../subjects/put-subject.ts'
import { changeKey } from './change-key.ts'
import { createKey } from './create-key.ts'
import { deleteKey } from './delete-key.ts'
import { type ImportedKeys, importKeys } from './import-keys.ts'
import type { KeyView } from './key-view.ts'
import { listKeys } from './list-keys.ts'
import { readKey } from './read-key.ts'
import { revokeKey } from './revoke-key.ts'
import { rotateKey } from './rotate-key.ts'

let installation: TestInstallation
let scope: Scope
let other: Scope
let verifier: Verifier

beforeAll(async () => {
  installation = await openTestInstallation()
  scope = await installation.scope()
  await createProject(scope, { name: 'other' })
  other = await installation.scope('other')
  for (const place of [scope, other]) {
    await putKeyShape(place, 'hex', { prefix: 'old_', alphabet: '0-9a-f', length: 40, hashEncoding: 'hex' })
  }
  await putKeyShape(scope, 'long', { prefix: '', alphabet: 'A-Za-z', length: 80, hashEncoding: 'base64' })
  await putRole(scope, 'reader', { permissions: ['documents:read'] })
  verifier = await Verifier.open({ source: new DatabaseSource(installation, scope.projectId) })
})
afterAll(() => installation.close())
beforeEach(() => void installation.takeFacts('default'))

function newText(): string {
  return `old_${randomBytes(20).toString('hex')}`
}

function hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

async function importText(text: string, fields: Record<string, unknown> = {}): Promise<ImportedKeys> {
  return importKeys(scope, { shape: 'hex', keys: [{ hash: hex(text), ...fields }] })
}

async function find(text: string): Promise<KeyView> {
  const { items } = await listKeys(scope, { locator: sha256(text).slice(0, 8) })
  const [key] = items
  if (key === undefined) throw new Error('the key was not found by its locator')
  return key
}

async function ask(credential: string): Promise<string> {
  const verdict = await verifier.verify({ credential })
  return verdict.ok ? 'ok' : verdict.code
}

/** Revokes as the project's own callers do; no token is named by its text here. */
function revokeText(place: Scope, credential: string): Promise<unknown> {
  const withoutTokens = { ...place, identifyToken: async () => ({ fault: 'no token' }) } as RevocationScope
  return createRevocation(withoutTokens, { credential })
}

const IMPORTED = { imported: 1, exists: 0, failed: [] }
const EXISTS = { imported: 0, exists: 1, failed: [] }

describe('an imported key', () => {
  test('passes with all that was said of it, from the very next verification on (F1)', async () => {
    const text = newText()
    expect(await ask(text)).toBe('unknown')
    const said = {
      name: 'Acme',
      subject: 'customer-9',
      roles: ['reader'],
      permissions: ['billing:*'],
      scopes: ['documents:read', 'billing:read'],
      metadata: { plan: 'pro' },
      expiresAt: '2030-01-01T00:00:00.000Z',
      ipAllow: ['10.0.0.0/8'],
    }
    const times = { createdAt: '2024-05-06T07:08:09.000Z', lastUsedAt: '2026-12-31T00:00:00.000Z' }
    expect(await importText(text, { ...said, ...times })).toEqual(IMPORTED)
    const verdict = await verifier.verify({ credential: text, context: { ip: '10.1.2.3' } })
    expect(verdict).toMatchObject({
      ok: true,
      subject: 'customer-9',
      permissions: ['billing:read', 'documents:read'],
      metadata: { plan: 'pro' },
      expiresAt: '2030-01-01T00:00:00.000Z',
    })
    const key = await find(text)
    expect(key).toMatchObject({ ...said, ...times, prefix: 'old', status: 'active' })
    expect(key.secrets).toEqual([
      {
        locator: sha256(text).slice(0, 8),
        shape: 'hex',
        createdAt: times.createdAt,
        validUntil: null,
        revoked: false,
      },
    ])
  })

  test('speaks for itself and may do nothing when nothing is said of it', async () => {
    const text = newText()
    await importText(text)
    const key = await find(text)
    expect(key).toMatchObject({ subject: key.id, permissions: [], createdAt: '1970-01-01T00:00:00.000Z' })
  })

  test('that is longer than our own keys, under another encoding, passes too', async () => {
    const text = 'aBcDeFgH'.repeat(10)
    const hash = createHash('sha256').update(text).digest('base64')
    expect(await importKeys(scope, { shape: 'long', keys: [{ hash }] })).toEqual(IMPORTED)
    expect(await ask(text)).toBe('ok')
    // Its shape has no prefix that a key of our own could begin with.
    const { items } = await listKeys(scope, { locator: sha256(text).slice(0, 8) })
    expect(items.map(({ prefix }) => prefix)).toEqual(['ck'])
  })

  test('V6: a rotation gives it a text of our own form; the foreign one works for the overlap', async () => {
    const text = newText()
    await importText(text, { subject: 'rotating' })
    const { id } = await find(text)
    expect((await listKeys(scope, { subject: 'rotating', shape: 'hex' })).items).toMatchObject([{ id }])
    const rotated = await rotateKey(scope, id, { overlapSeconds: 60 })
    expect(rotated.credential).toMatch(/^old_[0-9A-Za-z]{44}$/)
    expect([await ask(text), await ask(rotated.credential)]).toEqual(['ok', 'ok'])
    installation.clock.advance(60_000)
    expect([await ask(text), await ask(rotated.credential)]).toEqual(['rotated_out', 'ok'])
    expect((await readKey(scope, id)).secrets.map(({ shape }) => shape)).toEqual(['hex', null])
    expect((await listKeys(scope, { subject: 'rotating', shape: 'hex' })).items).toEqual([])
  })

  test('V6: is revoked by its text; a superseded text ends that text alone', async () => {
    const text = newText()
    await importText(text)
    const { id } = await find(text)
    const rotated = await rotateKey(scope, id)
    await revokeText(scope, text)
    expect([await ask(text), await ask(rotated.credential)]).toEqual(['revoked', 'ok'])
    const current = newText()
    await importText(current)
    expect(await ask(current)).toBe('ok')
    await revokeText(scope, current)
    expect(await ask(current)).toBe('revoked')
    expect(await codeOf(revokeText(scope, newText()))).toBe('not_found')
  })

  test('R6, V4: is changed, disabled, bounded by its subject and deleted as any other', async () => {
    const text = newText()
    await importText(text, { subject: 'bounded', permissions: ['documents:read'] })
    const { id } = await find(text)
    await putSubject(scope, 'bounded', { disabled: true })
    expect(await ask(text)).toBe('disabled')
    await putSubject(scope, 'bounded', { disabled: false })
    await changeKey(scope, id, { disabled: true })
    expect(await ask(text)).toBe('disabled')
    await changeKey(scope, id, { disabled: false })
    expect(await ask(text)).toBe('ok')
    await deleteKey(scope, id)
    expect(await ask(text)).toBe('revoked')
  })

  test('V3: dies with what was issued before a time, when nobody said when it was issued', async () => {
    const [dated, undated] = [newText(), newText()]
    await importText(dated, { subject: 'leaky', createdAt: '2026-06-01T00:00:00Z' })
    await importText(undated, { subject: 'leaky' })
    const revoke = { ...scope, identifyToken: async () => ({ fault: '' }) } as RevocationScope
    await createRevocation(revoke, { subject: 'leaky', issuedBefore: '2026-01-01T00:00:00Z' })
    expect([await ask(dated), await ask(undated)]).toEqual(['ok', 'revoked'])
  })

  test('keeps the state it had: disabled stays disabled, expired is told as expired', async () => {
    const [disabled, expired] = [newText(), newText()]
    await importText(disabled, { disabled: true })
    await importText(expired, { expiresAt: '2026-06-01T00:00:00Z' })
    expect([await ask(disabled), await ask(expired)]).toEqual(['disabled', 'expired'])
  })
})

describe('sending a key again', () => {
  test('changes nothing, and counts as one that exists', async () => {
    const text = newText()
    const fields = { subject: 'again', metadata: { b: 1, a: { d: 1, c: 2 } } }
    expect(await importText(text, fields)).toEqual(IMPORTED)
    installation.takeFacts('default')
    const reordered = { metadata: { a: { c: 2, d: 1 }, b: 1 }, subject: 'again' }
    expect(
      await importKeys(scope, { shape: 'hex', keys: [{ ...reordered, hash: hex(text).toUpperCase() }] }),
    ).toEqual(EXISTS)
    expect(installation.takeFacts('default')).toEqual([])
    expect((await listKeys(scope, { subject: 'again' })).items).toHaveLength(1)
  })

  test('brings no revoked and no deleted key back (V4), and undoes no change', async () => {
    const [revoked, deleted, changed] = [newText(), newText(), newText()]
    for (const text of [revoked, deleted, changed]) await importText(text)
    await revokeKey(scope, (await find(revoked)).id)
    await deleteKey(scope, (await find(deleted)).id)
    await changeKey(scope, (await find(changed)).id, { name: 'renamed' })
    for (const text of [revoked, deleted, changed]) expect(await importText(text)).toEqual(EXISTS)
    expect([await ask(revoked), await ask(deleted)]).toEqual(['revoked', 'revoked'])
    expect((await find(changed)).name).toBe('renamed')
  })

  test('with other members is a conflict, and changes nothing', async () => {
    const text = newText()
    await importText(text, { permissions: ['documents:read'] })
    const wider = await importText(text, { permissions: ['*:*'] })
    expect(wider).toMatchObject({ imported: 0, failed: [{ index: 0, code: 'already_exists' }] })
    expect((await find(text)).permissions).toEqual(['documents:read'])
  })

  test('twice in one batch counts once; a batch of fifty at the same time makes one key', async () => {
    const text = newText()
    const keys = [{ hash: hex(text) }, { hash: hex(text) }, { hash: hex(text), name: 'other' }]
    expect(await importKeys(scope, { shape: 'hex', keys })).toMatchObject({
      imported: 1,
      exists: 1,
      failed: [{ index: 2, code: 'already_exists' }],
    })
    const raced = newText()
    const answers = await Promise.all(Array.from({ length: 50 }, () => importText(raced)))
    expect(answers.reduce((sum, { imported }) => sum + imported, 0)).toBe(1)
    expect(answers.reduce((sum, { exists }) => sum + exists, 0)).toBe(49)
  })

  test('never takes the place of a key of our own', async () => {
    const own = await createKey(scope, { name: 'own', permissions: ['documents:read'] })
    const answer = await importKeys(scope, {
      shape: 'hex',
      keys: [{ hash: hex(own.credential), permissions: ['*:*'] }],
    })
    expect(answer.failed).toMatchObject([{ code: 'already_exists' }])
    expect((await readKey(scope, own.id)).permissions).toEqual(['documents:read'])
  })
})

describe('a batch', () => {
  test('C3: is one change, which names no key, and one entry of the audit', async () => {
    const texts = Array.from({ length: 500 }, newText)
    const head = installation.changes.length
    const keys = texts.map((text) => ({ hash: hex(text) }))
    expect(await importKeys(scope, { shape: 'hex', keys })).toMatchObject({ imported: 500 })
    expect(installation.changes.length).toBe(head + 1)
    expect(installation.takeFacts('default')).toEqual([{ type: 'import', shape: 'hex', count: 500 }])
    const { items } = await listAuditEntries(scope, { limit: 1 })
    expect(items).toMatchObject([
      { action: 'key.import', target: 'hex', detail: { imported: 500, failed: 0 } },
    ])
    expect(JSON.stringify(items)).not.toContain(sha256(texts[0] ?? ''))
    expect(await Promise.all(texts.map(ask))).toEqual(texts.map(() => 'ok'))
  })

  test('names each bad key with the reason, and imports the others', async () => {
    const good = [newText(), newText()]
    const [bad, dead] = [newText(), newText()]
    const keys = [
      { hash: hex(good[0] ?? '') },
      'not even a record',
      { hash: bad },
      { hash: hex(bad), roles: ['nobody'] },
      { hash: hex(bad), color: 'red' },
      { hash: hex(bad), ipAllow: ['10.0.0.0/99'] },
      { hash: hex(bad), createdAt: '2999-01-01T00:00:00Z' },
      { hash: hex(dead), prefix: 'acme' },
      { hash: hex(good[1] ?? '') },
    ]
    const answer = await importKeys(scope, { shape: 'hex', keys })
    expect(answer.imported).toBe(2)
    expect(answer.failed.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(answer.failed.map(({ detail }) => detail).join('\n')).toMatchInlineSnapshot(`
      "The input must be object.
      \`hash\` is no SHA-256 in hex, which the shape \`hex\` says.
      \`roles\` names "nobody", which the project does not have. Create a role first.
      The input has members that are not known here: \`color\`. Remove them or correct their spelling.
      \`ipAllow.0\`: The prefix length must be a number from 0 to 32.
      \`createdAt\` is in the future.
      The input has members that are not known here: \`prefix\`. Remove them or correct their spelling."
    `)
    expect(await Promise.all([...good, bad, dead].map(ask))).toEqual(['ok', 'ok', 'unknown', 'unknown'])
  })

  test('repeats no text of a key, wherever it was put by mistake', async () => {
    const text = newText()
    const places = [
      { hash: text },
      { hash: hex(text), roles: [text] },
      { hash: hex(text), permissions: [text] },
      { hash: hex(text), scopes: [text] },
      { hash: hex(text), ipAllow: [text] },
      { hash: hex(text), createdAt: text },
      { hash: hex(text), [text]: true },
      { hash: hex(text), prefix: text },
    ]
    const { failed, imported } = await importKeys(scope, { shape: 'hex', keys: places })
    expect({ imported, failed: failed.length }).toEqual({ imported: 0, failed: places.length })
    expect(JSON.stringify(failed)).not.toContain(text.slice(4, 24))
  })

  test('tried dry says the same, and writes nothing', async () => {
    const [text, known] = [newText(), newText()]
    await importText(known)
    const head = installation.changes.length
    const keys = [{ hash: hex(text) }, { hash: hex(known) }, { hash: hex(newText()), roles: ['nobody'] }]
    const answer = await importKeys(scope, { shape: 'hex', dryRun: true, keys })
    expect(answer).toMatchObject({ imported: 1, exists: 1, failed: [{ index: 2, code: 'invalid_request' }] })
    expect(installation.changes.length).toBe(head)
    expect(await ask(text)).toBe('unknown')
  })

  test.each([
    ['no key', { shape: 'hex', keys: [] }, 'invalid_request'],
    ['more than 500', { shape: 'hex', keys: Array.from({ length: 501 }, () => ({})) }, 'invalid_request'],
    ['an unknown shape', { shape: 'nothing', keys: [{}] }, 'not_found'],
    ['an unknown member', { shape: 'hex', keys: [{}], force: true }, 'invalid_request'],
  ])('of %s is refused as a whole', async (_, input, code) => {
    expect(await codeOf(importKeys(scope, input))).toBe(code)
  })
})

describe('M3: importing within grants', () => {
  async function actAs(verbs: string[], grants: string[]): Promise<Scope> {
    const { id } = await createManagementKey(scope, { name: 'importer', verbs, grants })
    return installation.scope('default', managementKey(id))
  }

  test('each key by itself: by permission, by role, by a scope that is absent', async () => {
    const narrow = await actAs(['keys:write'], ['documents:*'])
    const keys = [
      { permissions: ['documents:write'] },
      { roles: ['reader'] },
      { permissions: ['*:*'], scopes: ['documents:read'] },
      { permissions: ['billing:read'] },
      { permissions: ['*:*'], scopes: null },
      { permissions: ['documents:*', 'billing:read'] },
    ].map((rights) => ({ hash: hex(newText()), ...rights }))
    const answer = await importKeys(narrow, { shape: 'hex', keys })
    expect(answer).toMatchObject({ imported: 3 })
    expect(answer.failed.map(({ index, code }) => [index, code])).toEqual([
      [3, 'exceeds_grants'],
      [4, 'exceeds_grants'],
      [5, 'exceeds_grants'],
    ])
    const dry = await importKeys(narrow, { shape: 'hex', dryRun: true, keys })
    expect(dry.failed).toEqual(answer.failed)
  })

  test('M6: needs the verb `keys:write`', async () => {
    expect(await codeOf(importKeys(await actAs(['keys:read'], ['*:*']), { shape: 'hex', keys: [{}] }))).toBe(
      'forbidden',
    )
  })

  test('M4: nothing is imported into the project of the management keys', async () => {
    const management = await installation.scope('claviger')
    expect(await codeOf(importKeys(management, { shape: 'hex', keys: [{}] }))).toBe('invalid_request')
  })
})

describe('F3: two projects', () => {
  test('import the same key side by side, each its own, and neither learns of the other', async () => {
    const text = newText()
    await importText(text, { subject: 'here' })
    const answer = await importKeys(other, { shape: 'hex', keys: [{ hash: hex(text), subject: 'there' }] })
    expect(answer).toEqual(IMPORTED)
    const elsewhere = await Verifier.open({ source: new DatabaseSource(installation, other.projectId) })
    expect(await verifier.verify({ credential: text })).toMatchObject({ subject: 'here' })
    expect(await elsewhere.verify({ credential: text })).toMatchObject({ subject: 'there' })
    await revokeText(other, text)
    expect(await elsewhere.verify({ credential: text })).toMatchObject({ code: 'revoked' })
    expect(await ask(text)).toBe('ok')
    await rotateKey(scope, (await find(text)).id, { overlapSeconds: 0 })
    expect(await ask(text)).toBe('rotated_out')
    expect(await elsewhere.verify({ credential: text })).toMatchObject({ code: 'revoked' })
  })
})
