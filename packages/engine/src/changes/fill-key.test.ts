import { join } from 'node:path'
import { sha256 } from '@claviger/verify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { type Issuing, openIssuing } from '../../test/issuing.ts'
import { watchReads } from '../../test/watch-reads.ts'
import { createKey } from '../keys/create-key.ts'
import { deleteKey } from '../keys/delete-key.ts'
import type { CreatedKey } from '../keys/key-view.ts'
import { revokeKey } from '../keys/revoke-key.ts'
import { rotateKey } from '../keys/rotate-key.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { createProject } from '../projects/create-project.ts'
import { createRevocation } from '../revocation/create-revocation.ts'
import { liftBan } from '../revocation/lift-ban.ts'
import { putRole } from '../roles/put-role.ts'
import type { Scope } from '../scope.ts'
import { openForReading } from '../storage/open-database.ts'
import { DatabaseSource } from './database-source.ts'
import { readHead } from './read-head.ts'

const DAY_MS = 86_400_000

let installation: TestInstallation
let issuing: Issuing
let scope: Scope
let source: DatabaseSource
let count = 0

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
  scope = issuing.scope
  source = new DatabaseSource(installation, 'default')
  await createProject(scope, { name: 'apart', algorithm: 'Ed25519' })
})
afterAll(() => installation.close())

function newSubject(): string {
  return `subject_${++count}`
}

function revoke(input: object) {
  return createRevocation(issuing.scope, input)
}

async function fill(credential: string) {
  const { key } = await source.fetchKey(sha256(credential))
  if (key === null) throw new Error('no such key')
  return key
}

describe('a fill', () => {
  test('says all of a key, at the head (F2)', async () => {
    await putRole(scope, 'writer', { permissions: ['documents:write'] })
    const created = await createKey(scope, {
      name: 'whole',
      subject: 'user_3',
      roles: ['writer'],
      permissions: ['a:b'],
      scopes: ['documents:*'],
      expiresAt: '2030-01-01T00:00:00Z',
      notBefore: '2026-01-01T00:00:00Z',
      ipAllow: ['10.0.0.0/8'],
      metadata: { plan: 'gold' },
    })
    const head = await readHead(installation.reader, 'default')
    expect(await source.fetchKey(sha256(created.credential))).toEqual({
      position: head,
      key: {
        id: created.id,
        subject: 'user_3',
        roles: ['writer'],
        permissions: ['a:b'],
        scopes: ['documents:*'],
        metadata: { plan: 'gold' },
        createdAtMs: installation.clock.nowMs(),
        pos: head,
        expiresAtMs: Date.parse('2030-01-01T00:00:00Z'),
        notBeforeMs: Date.parse('2026-01-01T00:00:00Z'),
        ipAllow: ['10.0.0.0/8'],
        disabled: false,
        revoked: false,
        secret: { current: true, revoked: false, validUntilMs: null },
      },
    })
  })

  test('of an unknown text, and of a key of another project, is the head alone', async () => {
    const other = await createKey(await installation.scope('apart'), { name: 'theirs' })
    const position = await readHead(installation.reader, 'default')
    expect(await source.fetchKey(sha256('nobody'))).toEqual({ position, key: null })
    expect(await source.fetchKey(sha256(other.credential))).toEqual({ position, key: null })
  })

  test('tells a superseded secret from the current one', async () => {
    const { id, credential } = await createKey(scope, { name: 'rotated' })
    const next = await rotateKey(scope, id, { overlapSeconds: 60 })
    const validUntilMs = installation.clock.nowMs() + 60_000
    expect((await fill(credential)).secret).toEqual({ current: false, revoked: false, validUntilMs })
    expect((await fill(next.credential)).secret).toEqual({
      current: true,
      revoked: false,
      validUntilMs: null,
    })
  })

  test('says what a management key may do and hand out, and of a customer’s key nothing such (M1, M4)', async () => {
    const management = new DatabaseSource(installation, 'claviger')
    const created = await createManagementKey(scope, { name: 'm', verbs: ['keys:read'], grants: ['a:*'] })
    const { key } = await management.fetchKey(sha256(created.credential))
    expect(key?.management).toEqual({ project: 'default', verbs: ['keys:read'], grants: ['a:*'] })
    const root = await management.fetchKey(sha256(installation.rootKey.reveal()))
    expect(root.key?.management).toMatchObject({ project: null, grants: ['*:*'] })
    expect(root.key?.management?.verbs).toContain('tokens:mint')
    expect(await fill((await createKey(scope, { name: 'c' })).credential)).not.toHaveProperty('management')
  })

  test.each<[string, (key: CreatedKey) => Promise<unknown>]>([
    ['its own revocation', ({ id }) => revokeKey(scope, id)],
    ['its deletion (V4)', ({ id }) => deleteKey(scope, id)],
    ['a rule for its subject', ({ subject }) => revoke({ subject })],
    ['a rule for keys of its subject', ({ subject }) => revoke({ subject, only: 'keys' })],
    ['a ban of its subject', ({ subject }) => revoke({ subject, ban: true })],
    ['a rule for it as a client', ({ id }) => revoke({ clientId: id })],
  ])('is revoked by %s, for ever (V7)', async (_, kill) => {
    const key = await createKey(scope, { name: 'to be killed', subject: newSubject() })
    const { credential } = key
    expect((await fill(credential)).revoked).toBe(false)
    await kill(key)
    expect((await fill(credential)).revoked).toBe(true)
    installation.clock.advance(400 * DAY_MS)
    expect((await fill(credential)).revoked).toBe(true)
  })

  test('is not revoked by rules that spare the key: for tokens, before its birth, for others, lifted', async () => {
    await revoke({ subject: 'spared' })
    await revoke({ everything: true })
    await liftBan(scope, (await revoke({ subject: 'spared', ban: true })).id)
    const { id, credential } = await createKey(scope, { name: 'spared', subject: 'spared' })
    const born = installation.clock.nowMs()
    await revoke({ subject: 'spared', only: 'tokens' })
    await revoke({ clientId: id, only: 'tokens', ban: true })
    await revoke({ subject: 'another', ban: true })
    await revoke({ subject: 'spared', issuedBefore: new Date(born).toISOString() })
    expect((await fill(credential)).revoked).toBe(false)
    installation.clock.advance(1)
    await revoke({ subject: 'spared', issuedBefore: new Date(born + 1).toISOString() })
    expect((await fill(credential)).revoked).toBe(true)
  })

  test('is revoked by everything, but for what is made later in the same millisecond (V2)', async () => {
    const before = await createKey(scope, { name: 'plain' })
    await revoke({ everything: true })
    const after = await createKey(scope, { name: 'plain' })
    expect((await fill(before.credential)).revoked).toBe(true)
    expect((await fill(after.credential)).revoked).toBe(false)
  })

  test('is one statement that scans nothing, whatever the digest is: of a key, revoked, foreign or unknown', async () => {
    const good = await createKey(scope, { name: 'plain' })
    const revoked = await createKey(scope, { name: 'plain' })
    await revokeKey(scope, revoked.id)
    const foreign = await createKey(await installation.scope('apart'), { name: 'theirs' })
    const { sqlite, db: reader } = openForReading(join(installation.folder, 'claviger.db'))
    const queries = watchReads(sqlite)
    const counted = new DatabaseSource({ ...installation, reader }, 'default')
    for (const { credential } of [good, revoked, foreign, { credential: 'nobody' }]) {
      await counted.fetchKey(sha256(credential))
    }
    expect(queries).toHaveLength(4)
    expect(new Set(queries.map(({ sql }) => sql)).size).toBe(1)
    const { sql = '', parameters = [] } = queries[0] ?? {}
    const plan = sqlite.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters)
    expect(plan.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/^SEARCH projects .*\(id=\?\)/),
      expect.stringMatching(/^SEARCH installation USING INTEGER PRIMARY KEY/),
      expect.stringMatching(/^SEARCH key_fills USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)/),
      // However many rules the project has, only those are read that may aim at the key.
      expect.stringMatching(
        /^SEARCH revocations .*\(project_id=\? AND issuer=\? AND kind=\? AND target=\?\)/,
      ),
    ])
    sqlite.close()
  })
})
