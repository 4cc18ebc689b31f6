import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseKeyString, sha256 } from '@claviger/verify'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { codeOf, openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { listAuditEntries } from '../audit/list-entries.ts'
import { putRole } from '../roles/put-role.ts'
import type { Scope } from '../scope.ts'
import { changeKey } from './change-key.ts'
import { createKey } from './create-key.ts'
import { deleteKey } from './delete-key.ts'
import { listKeys } from './list-keys.ts'
import { readKey } from './read-key.ts'
import { revokeKey } from './revoke-key.ts'
import { rotateKey } from './rotate-key.ts'

let installation: TestInstallation
let scope: Scope

beforeAll(async () => {
  installation = await openTestInstallation()
  scope = await installation.scope()
  await putRole(scope, 'reader', { permissions: ['documents:read'] })
})
beforeEach(() => {
  installation.takeFacts('default')
})
afterAll(() => installation.close())

/** RFC 3339, so many seconds from now. */
function inSeconds(seconds: number): string {
  return new Date(installation.clock.nowMs() + seconds * 1000).toISOString()
}

describe('creating a key', () => {
  test('answers the text once, and stores only its digest', async () => {
    const { credential, ...view } = await createKey(scope, { name: 'CI', roles: ['reader'] })
    const key = parseKeyString(credential)
    expect(key?.prefix).toBe('ck')
    expect(view.secrets).toEqual([
      { locator: key?.locator, shape: null, createdAt: inSeconds(0), validUntil: null, revoked: false },
    ])
    expect(await readKey(scope, view.id)).toEqual(view)
    const stored = await installation.reader
      .selectFrom('key_secrets')
      .select('digest')
      .where('key_id', '=', view.id)
      .execute()
    expect(stored).toEqual([{ digest: sha256(credential) }])
  })

  test('shows every member of the record', async () => {
    const { credential: _, ...view } = await createKey(scope, {
      name: 'partner',
      subject: 'cus_7',
      prefix: 'acme_live',
      roles: ['reader', 'reader'],
      permissions: ['billing:*'],
      scopes: ['documents:read', 'openid'],
      expiresAt: inSeconds(3600),
      notBefore: inSeconds(60),
      ipAllow: ['192.0.2.0/24', '2001:db8::/32'],
      metadata: { plan: 'pro' },
    })
    expect(view).toEqual({
      id: expect.stringMatching(/^key_[0-9a-f]{32}$/),
      name: 'partner',
      prefix: 'acme_live',
      secrets: [expect.anything()],
      subject: 'cus_7',
      roles: ['reader'],
      permissions: ['billing:*'],
      scopes: ['documents:read', 'openid'],
      ipAllow: ['192.0.2.0/24', '2001:db8::/32'],
      metadata: { plan: 'pro' },
      limits: [],
      quota: null,
      disabled: false,
      status: 'not_yet_valid',
      createdAt: inSeconds(0),
      changedAt: inSeconds(0),
      expiresAt: inSeconds(3600),
      notBefore: inSeconds(60),
      revokedAt: null,
      revokeReason: null,
      lastUsedAt: null,
      lastUsedFrom: null,
    })
  })

  test('without a subject speaks for itself', async () => {
    const key = await createKey(scope, { name: 'self' })
    expect(key.subject).toBe(key.id)
  })

  test('tells verifiers its digest, and takes its `pos` from that change (V4)', async () => {
    const { id, credential } = await createKey(scope, { name: 'told' })
    expect(installation.takeFacts('default')).toEqual([{ type: 'key', id, digests: [sha256(credential)] }])
    const row = await installation.reader
      .selectFrom('keys')
      .select('pos')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    const last = installation.changes.at(-1)?.change.position
    expect(row.pos).toBe(`${last?.epoch}:${last?.number}`)
  })

  test.each<[string, Record<string, unknown>]>([
    ['no name', {}],
    ['an unknown role (R5)', { name: 'x', roles: ['writer'] }],
    ['a scope that is no permission (R3)', { name: 'x', scopes: ['documents'] }],
    ['a permission that is none (R1)', { name: 'x', permissions: ['Documents:read'] }],
    ['a prefix of management keys', { name: 'x', prefix: 'clv_root' }],
    ['a prefix of refresh tokens', { name: 'x', prefix: 'acme_rt' }],
    ['a prefix outside the grammar', { name: 'x', prefix: 'Acme' }],
    ['a time that lies behind', { name: 'x', expiresAt: '2026-12-31T23:59:59Z' }],
    ['the present as expiry', { name: 'x', expiresAt: '2027-01-01T00:00:00Z' }],
    ['a time without an offset', { name: 'x', expiresAt: '2027-02-01T00:00:00' }],
    [
      'a span without a moment in it',
      { name: 'x', expiresAt: '2027-02-01T00:00:00Z', notBefore: '2027-02-01T00:00:00Z' },
    ],
    ['a block with bits after its prefix', { name: 'x', ipAllow: ['192.0.2.1/24'] }],
    ['an empty list of addresses', { name: 'x', ipAllow: [] }],
    ['metadata beyond 8 KiB', { name: 'x', metadata: { text: 'é'.repeat(4096) } }],
    ['metadata that is no JSON', { name: 'x', metadata: { big: 1n } }],
    ['a subject with a control character', { name: 'x', subject: 'a\u0000b' }],
    ['a member that nobody knows', { name: 'x', role: 'reader' }],
  ])('refuses %s', async (_, input) => {
    expect(await codeOf(createKey(scope, input))).toBe('invalid_request')
    expect(installation.takeFacts('default')).toEqual([])
  })

  test('refuses the project of the management keys (M4)', async () => {
    expect(await codeOf(createKey(await installation.scope('claviger'), { name: 'x' }))).toBe(
      'invalid_request',
    )
  })
})

describe('changing a key', () => {
  test('replaces what is given, keeps the rest, and tells all its digests', async () => {
    const created = await createKey(scope, { name: 'a', roles: ['reader'], metadata: { a: 1 } })
    const rotated = await rotateKey(scope, created.id)
    installation.takeFacts('default')
    installation.clock.advance(1000)
    const changed = await changeKey(scope, created.id, { name: 'b', scopes: [], expiresAt: inSeconds(90) })
    expect(changed).toMatchObject({
      name: 'b',
      roles: ['reader'],
      scopes: [],
      metadata: { a: 1 },
      createdAt: created.createdAt,
      changedAt: inSeconds(0),
      expiresAt: inSeconds(90),
    })
    expect(installation.takeFacts('default')).toEqual([
      // What was derived from the key before it was narrowed ends (rule R4).
      expect.objectContaining({ type: 'revocation' }),
      {
        type: 'key',
        id: created.id,
        digests: [sha256(created.credential), sha256(rotated.credential)],
      },
    ])
  })

  test('null drops a limit of time, place and scope', async () => {
    const { id } = await createKey(scope, {
      name: 'a',
      scopes: ['documents:read'],
      expiresAt: inSeconds(60),
      notBefore: inSeconds(30),
      ipAllow: ['192.0.2.1'],
    })
    const cleared = { scopes: null, expiresAt: null, notBefore: null, ipAllow: null }
    expect(await changeKey(scope, id, cleared)).toMatchObject({ ...cleared, status: 'active' })
  })

  test('never changes the subject, nor the prefix (V4)', async () => {
    const { id } = await createKey(scope, { name: 'a' })
    expect(await codeOf(changeKey(scope, id, { subject: 'other' }))).toBe('invalid_request')
    expect(await codeOf(changeKey(scope, id, { prefix: 'other' }))).toBe('invalid_request')
  })

  test('disabling suspends what was issued to the key, enabling ends that (V5)', async () => {
    const { id } = await createKey(scope, { name: 'a' })
    installation.takeFacts('default')
    expect(await changeKey(scope, id, { disabled: true })).toMatchObject({
      disabled: true,
      status: 'disabled',
    })
    expect(installation.takeFacts('default')).toContainEqual({ type: 'client', id, disabled: true })
    await changeKey(scope, id, { name: 'still disabled' })
    expect(installation.takeFacts('default').map(({ type }) => type)).toEqual(['key'])
    expect(await changeKey(scope, id, { disabled: false })).toMatchObject({
      disabled: false,
      status: 'active',
    })
    expect(installation.takeFacts('default')).toContainEqual({ type: 'client', id, disabled: false })
  })

  test('an earlier expiry caps every overlap, and putting it off again brings none back (V6)', async () => {
    const { id } = await createKey(scope, { name: 'a' })
    await rotateKey(scope, id, { overlapSeconds: 3600 })
    await changeKey(scope, id, { expiresAt: inSeconds(60) })
    const cappedAt = inSeconds(60)
    const { secrets } = await changeKey(scope, id, { expiresAt: null })
    expect(secrets.map(({ validUntil }) => validUntil)).toEqual([cappedAt, null])
  })
})

describe('rotating a key', () => {
  test('keeps the identity, and gives the former text a day', async () => {
    const created = await createKey(scope, { name: 'a', roles: ['reader'] })
    const rotated = await rotateKey(scope, created.id)
    expect(rotated.credential).not.toBe(created.credential)
    expect(rotated).toMatchObject({ id: created.id, subject: created.subject, roles: ['reader'] })
    expect(rotated.previousExpiresAt).toBe(inSeconds(86_400))
    expect(rotated.secrets.map(({ validUntil }) => validUntil)).toEqual([inSeconds(86_400), null])
  })

  test('caps every older secret at the new overlap, and lengthens none (V6)', async () => {
    const { id } = await createKey(scope, { name: 'a' })
    await rotateKey(scope, id, { overlapSeconds: 10 })
    await rotateKey(scope, id, { overlapSeconds: 3600 })
    const third = await rotateKey(scope, id, { overlapSeconds: 60 })
    expect(third.secrets.map(({ validUntil }) => validUntil)).toEqual([
      inSeconds(10),
      inSeconds(60),
      inSeconds(60),
      null,
    ])
  })

  test('with no overlap ends the former text now', async () => {
    const { id } = await createKey(scope, { name: 'a' })
    expect((await rotateKey(scope, id, { overlapSeconds: 0 })).previousExpiresAt).toBe(inSeconds(0))
  })

  test('never lets a secret outlive its key (V6)', async () => {
    const { id } = await createKey(scope, { name: 'a', expiresAt: inSeconds(30) })
    const rotated = await rotateKey(scope, id, { overlapSeconds: 3600 })
    expect(rotated.previousExpiresAt).toBe(inSeconds(30))
    expect(rotated.expiresAt).toBe(inSeconds(30))
  })

  test('many at once leave one current secret, and every other with an end', async () => {
    const { id } = await createKey(scope, { name: 'a' })
    const rotations = await Promise.all(
      Array.from({ length: 20 }, () => rotateKey(scope, id, { overlapSeconds: 60 })),
    )
    expect(new Set(rotations.map(({ credential }) => credential)).size).toBe(20)
    const { secrets } = await readKey(scope, id)
    expect(secrets).toHaveLength(21)
    expect(secrets.filter(({ validUntil }) => validUntil === null)).toHaveLength(1)
    expect(new Set(secrets.map(({ validUntil }) => validUntil))).toEqual(new Set([inSeconds(60), null]))
    // Each answer's text was the current one when its turn came.
    const current = secrets.find(({ validUntil }) => validUntil === null)?.locator
    const texts = rotations.map(({ credential }) => parseKeyString(credential)?.locator)
    expect(texts.filter((locator) => locator === current)).toHaveLength(1)
  })

  test('is refused for a key that has expired', async () => {
    const { id } = await createKey(scope, { name: 'a', expiresAt: inSeconds(10) })
    installation.clock.advance(10_000)
    expect(await codeOf(rotateKey(scope, id))).toBe('invalid_request')
  })
})

describe('revoking a key', () => {
  test('ends it, and the tokens that name it as their client (V5)', async () => {
    const { id, credential } = await createKey(scope, { name: 'a' })
    installation.takeFacts('default')
    const receipt = await revokeKey(scope, id, { reason: 'leaked' })
    expect(receipt).toMatchObject({ id: expect.stringMatching(/^rev_/), effective: true, verifiers: [] })
    const facts = installation.takeFacts('default')
    expect(facts).toContainEqual({ type: 'key', id, digests: [sha256(credential)] })
    expect(facts).toContainEqual({
      type: 'revocation',
      rule: expect.objectContaining({ kind: 'client', target: id, only: 'tokens', ban: false, issuer: null }),
    })
    expect(await readKey(scope, id)).toMatchObject({
      status: 'revoked',
      revokedAt: inSeconds(0),
      revokeReason: 'leaked',
    })
  })

  test('spares what was issued when asked to, until it is revoked once more (V5)', async () => {
    const { id } = await createKey(scope, { name: 'a' })
    installation.takeFacts('default')
    await revokeKey(scope, id, { reason: 'first', keepIssued: true })
    expect(clientRules(id)).toBe(0)
    installation.clock.advance(1000)
    await revokeKey(scope, id, { reason: 'second' })
    expect(clientRules(id)).toBe(1)
    expect(await readKey(scope, id)).toMatchObject({ revokedAt: inSeconds(-1), revokeReason: 'first' })
  })

  test('is for good: the key can be neither rotated nor changed (V4)', async () => {
    const { id } = await createKey(scope, { name: 'a' })
    await revokeKey(scope, id)
    expect(await codeOf(rotateKey(scope, id))).toBe('revoked')
    expect(await codeOf(changeKey(scope, id, { disabled: false }))).toBe('revoked')
    expect(await codeOf(changeKey(scope, id, { expiresAt: null }))).toBe('revoked')
  })

  test('wins over rotations on their way, or comes after them: never a live secret left', async () => {
    const { id } = await createKey(scope, { name: 'a' })
    const rotations = Promise.allSettled([rotateKey(scope, id), rotateKey(scope, id)])
    const revocation = revokeKey(scope, id)
    const late = rotateKey(scope, id)
    await Promise.all([rotations, revocation, late.catch(() => undefined)])
    expect(await readKey(scope, id)).toMatchObject({ status: 'revoked' })
    expect(await codeOf(late)).toBe('revoked')
  })

  function clientRules(keyId: string): number {
    return installation
      .takeFacts('default')
      .filter(
        (fact) => fact.type === 'revocation' && fact.rule.kind === 'client' && fact.rule.target === keyId,
      ).length
  }
})

describe('deleting a key', () => {
  test('leaves a tombstone: no operation finds it, and its text stays revoked (V4)', async () => {
    const { id, credential } = await createKey(scope, {
      name: 'Jane Doe',
      metadata: { mail: 'jane@example.org' },
    })
    installation.takeFacts('default')
    await deleteKey(scope, id)
    expect(installation.takeFacts('default')).toContainEqual({
      type: 'key',
      id,
      digests: [sha256(credential)],
    })
    for (const call of [
      readKey(scope, id),
      rotateKey(scope, id),
      revokeKey(scope, id),
      deleteKey(scope, id),
    ]) {
      expect(await codeOf(call)).toBe('not_found')
    }
    const row = await installation.reader
      .selectFrom('keys')
      .innerJoin('key_secrets', 'key_secrets.key_id', 'keys.id')
      .selectAll('keys')
      .where('digest', '=', sha256(credential))
      .executeTakeFirstOrThrow()
    expect(row).toMatchObject({ id, name: '', metadata: '{}' })
    expect(row.revoked_at_ms).not.toBeNull()
    expect(row.deleted_at_ms).not.toBeNull()
  })

  test('kills what was issued, unless a revocation has spared it (V5)', async () => {
    const spared = await createKey(scope, { name: 'spared' })
    await revokeKey(scope, spared.id, { keepIssued: true })
    const other = await createKey(scope, { name: 'other' })
    installation.takeFacts('default')
    await deleteKey(scope, spared.id)
    await deleteKey(scope, other.id)
    const killed = installation
      .takeFacts('default')
      .flatMap((fact) =>
        fact.type === 'revocation' && fact.rule.kind === 'client' ? [fact.rule.target] : [],
      )
    expect(killed).toEqual([other.id])
  })
})

describe('reading and listing keys', () => {
  test('a key id of another project is not found, whatever is asked of it (F3)', async () => {
    const { id } = await createKey(scope, { name: 'a' })
    const elsewhere: Scope = { ...scope, projectId: 'claviger', project: 'claviger' }
    expect(await codeOf(readKey(elsewhere, id))).toBe('not_found')
    expect(await codeOf(changeKey(elsewhere, id, { name: 'b' }))).toBe('not_found')
    expect(await codeOf(rotateKey(elsewhere, id))).toBe('not_found')
    expect(await codeOf(revokeKey(elsewhere, id))).toBe('not_found')
    expect(await codeOf(deleteKey(elsewhere, id))).toBe('not_found')
    expect((await readKey(scope, id)).status).toBe('active')
  })

  test('pages hold every key once, in the order of creation', async () => {
    const subject = 'pages'
    const ids: string[] = []
    for (let index = 0; index < 7; index++) {
      installation.clock.advance(1)
      ids.push((await createKey(scope, { name: `${index}`, subject })).id)
    }
    const seen: string[] = []
    let cursor: string | null | undefined
    do {
      const page = await listKeys(scope, { subject, limit: 3, ...(cursor == null ? {} : { cursor }) })
      expect(page.items.length).toBeLessThanOrEqual(3)
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(seen).toEqual(ids)
  })

  test('filters by status in the order of the verdicts, and by locator', async () => {
    const subject = 'filters'
    const make = async (name: string, more: Record<string, unknown> = {}) =>
      createKey(scope, { name, subject, ...more })
    const active = await make('active')
    await make('not_yet_valid', { notBefore: inSeconds(3600) })
    const expired = await make('expired', { expiresAt: inSeconds(1) })
    const disabled = await make('disabled', { expiresAt: inSeconds(1) })
    const revoked = await make('revoked', { expiresAt: inSeconds(1) })
    await changeKey(scope, disabled.id, { disabled: true })
    await changeKey(scope, revoked.id, { disabled: true })
    await revokeKey(scope, revoked.id)
    installation.clock.advance(1000)
    for (const status of ['active', 'not_yet_valid', 'expired', 'disabled', 'revoked']) {
      const { items } = await listKeys(scope, { subject, status })
      expect(items.map(({ name }) => name)).toEqual([status])
    }
    const locator = parseKeyString(active.credential)?.locator
    expect((await listKeys(scope, { locator })).items.map(({ id }) => id)).toEqual([active.id])
    await deleteKey(scope, expired.id)
    expect((await listKeys(scope, { subject, status: 'expired' })).items).toEqual([])
  })

  test.each([[{ limit: 0 }], [{ limit: 201 }], [{ cursor: 'not+a+cursor' }], [{ state: 'active' }]])(
    'refuses %j',
    async (input) => {
      expect(await codeOf(listKeys(scope, input))).toBe('invalid_request')
    },
  )

  test('management keys are not among them (M4)', async () => {
    const management = await installation.scope('claviger')
    expect((await listKeys(management)).items).toEqual([])
  })
})

describe('the audit', () => {
  test('says what was done to a key, and never holds its text', async () => {
    const { id, credential } = await createKey(scope, { name: 'a' })
    const rotated = await rotateKey(scope, id)
    await changeKey(scope, id, { disabled: true })
    await revokeKey(scope, id, { reason: 'test' })
    await deleteKey(scope, id)
    const { items } = await listAuditEntries(scope, { target: id })
    expect(items.map(({ action }) => action)).toEqual([
      'key.delete',
      'key.revoke',
      'key.change',
      'key.rotate',
      'key.create',
    ])
    expect(items.every(({ actor }) => actor === 'embedder')).toBe(true)
    const text = JSON.stringify(items)
    for (const secret of [credential, rotated.credential]) {
      expect(text).not.toContain(secret)
      expect(text).not.toContain(sha256(secret))
    }
  })

  test('and the database hold no text of a key, and no error repeats one', async () => {
    const { id, credential } = await createKey(scope, { name: 'a' })
    const rotated = await rotateKey(scope, id)
    const files = readdirSync(installation.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name)))
    for (const text of [credential, rotated.credential, installation.rootKey.reveal()]) {
      expect(files.some((file) => file.includes(text))).toBe(false)
    }
    for (const input of [{ roles: [credential] }, { scopes: [credential] }, { prefix: credential }]) {
      const error = await createKey(scope, { name: 'x', ...input }).catch((reason: unknown) => reason)
      expect(String(error)).toContain('CodedError')
      expect(String(error)).not.toContain(credential)
    }
  })

  test('pages from the newest entry to the oldest', async () => {
    const first = await listAuditEntries(scope, { limit: 2 })
    const second = await listAuditEntries(scope, { limit: 2, cursor: first.nextCursor })
    const sequences = [...first.items, ...second.items].map(({ sequence }) => sequence)
    expect(sequences).toEqual([...sequences].sort((a, b) => b - a))
    expect(new Set(sequences).size).toBe(4)
  })
})
