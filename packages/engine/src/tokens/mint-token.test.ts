import { join } from 'node:path'
import {
  formatPosition,
  HEADER_ALGORITHMS,
  type Position,
  RESERVED_CLAIMS,
  type Verdict,
} from '@claviger/verify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  codeOf,
  managementKey,
  openTestInstallation,
  START_MS,
  type TestInstallation,
} from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing, PUBLIC_URL } from '../../test/issuing.ts'
import { watchReads } from '../../test/watch-reads.ts'
import { readHead } from '../changes/read-head.ts'
import { CallerFacts } from '../management/caller-facts.ts'
import { changeManagementKey } from '../management/change-management-key.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { revokeManagementKey } from '../management/revoke-management-key.ts'
import { createProject } from '../projects/create-project.ts'
import { deleteRole } from '../roles/delete-role.ts'
import { putRole } from '../roles/put-role.ts'
import { listSigningKeys } from '../signing/list-signing-keys.ts'
import { openForReading } from '../storage/open-database.ts'
import { MintFacts } from './mint-facts.ts'
import type { MintTokenInput } from './mint-input.ts'
import { mintToken } from './mint-token.ts'

const HOUR_MS = 3_600_000
const INPUT: MintTokenInput = { subject: 'user_1', audience: AUDIENCE }

let installation: TestInstallation
let issuing: Issuing

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
  await putRole(issuing.scope, 'reader', { permissions: ['documents:read'] })
})
afterAll(() => installation.close())

function headerOf(credential: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(credential.split('.')[0] ?? '', 'base64url').toString())
}

function claimsOf(credential: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(credential.split('.')[1] ?? '', 'base64url').toString())
}

async function verdictOn(credential: string): Promise<Verdict> {
  return issuing.verifier.verify({ credential })
}

describe('a minted token', () => {
  test('has the claims of RFC 9068, and no others', async () => {
    const { id, credential, expiresAt } = await mintToken(issuing.scope, INPUT)
    const head = await readHead(installation.reader, 'default')
    expect(claimsOf(credential)).toEqual({
      iss: PUBLIC_URL,
      sub: 'user_1',
      aud: AUDIENCE,
      exp: START_MS / 1000 + 600,
      iat: START_MS / 1000,
      jti: id,
      client_id: 'embedded',
      pos: `${head.epoch}:${head.number}`,
    })
    expect(id).toMatch(/^tok_[0-9a-f]{32}$/)
    expect(expiresAt).toBe('2027-01-01T00:10:00.000Z')
    expect(headerOf(credential)).toMatchObject({ alg: 'RS256', typ: 'at+jwt' })
  })

  test('says what it was given, and its verifier says the same', async () => {
    const { id, credential } = await mintToken(issuing.scope, {
      subject: 'Zoë 🦊',
      audience: [AUDIENCE, 'https://other.example', AUDIENCE],
      ttlSeconds: 86_400,
      roles: ['reader', 'reader'],
      permissions: ['billing:*'],
      scopes: ['documents:*', 'billing:read', 'openid'],
      claims: { plan: 'gold', limits: { seats: 5 }, tags: ['a', null] },
    })
    expect(claimsOf(credential)).toMatchObject({
      aud: [AUDIENCE, 'https://other.example'],
      scope: 'documents:* billing:read openid',
      roles: ['reader'],
      permissions: ['billing:*'],
      plan: 'gold',
    })
    expect(await verdictOn(credential)).toEqual({
      ok: true,
      kind: 'token',
      id,
      project: 'default',
      subject: 'Zoë 🦊',
      issuer: PUBLIC_URL,
      audience: [AUDIENCE, 'https://other.example'],
      clientId: 'embedded',
      roles: ['reader'],
      permissions: ['billing:read', 'documents:read'],
      scopes: ['documents:*', 'billing:read'],
      claims: { plan: 'gold', limits: { seats: 5 }, tags: ['a', null] },
      expiresAt: '2027-01-02T00:00:00.000Z',
      metadata: {},
    })
  })

  test('with an empty list of scopes permits nothing, with none is not narrowed (R2)', async () => {
    const given = { ...INPUT, permissions: ['a:b'] }
    const narrowed = await mintToken(issuing.scope, { ...given, scopes: [] })
    expect(claimsOf(narrowed.credential)).toMatchObject({ scope: '' })
    expect(await verdictOn(narrowed.credential)).toMatchObject({ ok: true, permissions: [], scopes: [] })
    const whole = await mintToken(issuing.scope, given)
    expect(claimsOf(whole.credential)).not.toHaveProperty('scope')
    expect(await verdictOn(whole.credential)).toMatchObject({ ok: true, permissions: ['a:b'] })
  })

  test('with scopes of OpenID Connect alone permits nothing (R3)', async () => {
    const input = { ...INPUT, permissions: ['a:b'], scopes: ['openid', 'email'] }
    const { credential } = await mintToken(issuing.scope, input)
    expect(await verdictOn(credential)).toMatchObject({ ok: true, permissions: [] })
  })

  test('of another project has its issuer, and is unknown here', async () => {
    await createProject(issuing.scope, { name: 'acme', algorithm: 'Ed25519' })
    const acme = await openIssuing(installation, 'acme')
    const { credential } = await mintToken(acme.scope, INPUT)
    expect(claimsOf(credential)).toMatchObject({ iss: `${PUBLIC_URL}/p/acme` })
    expect(headerOf(credential)).toMatchObject({ alg: 'Ed25519' })
    expect(await acme.verifier.verify({ credential })).toMatchObject({ ok: true, project: 'acme' })
    expect(await verdictOn(credential)).toMatchObject({ ok: false, code: 'unknown' })
  })

  test('is signed as its project says: as EdDSA by the ring of Ed25519', async () => {
    const project = await createProject(issuing.scope, { name: 'older', algorithm: 'EdDSA' })
    expect(project).toMatchObject({ algorithm: 'EdDSA' })
    const older = await openIssuing(installation, 'older')
    const minted = await mintToken(older.scope, INPUT)
    expect(headerOf(minted.credential)).toMatchObject({ alg: 'EdDSA' })
    expect(await older.verifier.verify({ credential: minted.credential })).toMatchObject({ ok: true })
    const { credential } = await mintToken(older.scope, { ...INPUT, algorithm: 'Ed25519' })
    expect(headerOf(credential)).toMatchObject({ alg: 'Ed25519' })
    const keys = (await listSigningKeys(older.scope)).items
    expect(keys.map(({ algorithm }) => algorithm)).toEqual(['Ed25519'])
  })

  test.each(HEADER_ALGORITHMS)('may be signed with %s, at the first demand too', async (algorithm) => {
    const minted = await Promise.all(
      Array.from({ length: 10 }, () => mintToken(issuing.scope, { ...INPUT, algorithm })),
    )
    const headers = minted.map(({ credential }) => headerOf(credential))
    const kids = headers.map(({ kid }) => kid)
    expect(headers[0]).toMatchObject({ alg: algorithm })
    expect(new Set(kids).size).toBe(1)
    for (const { credential } of minted) expect(await verdictOn(credential)).toMatchObject({ ok: true })
  })

  test('expires when it says, to the millisecond', async () => {
    const { credential } = await mintToken(issuing.scope, { ...INPUT, ttlSeconds: 1 })
    installation.clock.advance(999)
    expect(await verdictOn(credential)).toMatchObject({ ok: true })
    installation.clock.advance(1)
    expect(await verdictOn(credential)).toMatchObject({ ok: false, code: 'expired' })
  })

  test('writes no row and takes no position', async () => {
    const before = await readHead(installation.reader, 'default')
    const { length } = installation.changes
    await mintToken(issuing.scope, { ...INPUT, roles: ['reader'] })
    expect(await readHead(installation.reader, 'default')).toEqual(before)
    expect(installation.changes).toHaveLength(length)
  })

  test('carries the head as it was when the request came, which its verifier has applied (V2)', async () => {
    const before = await readHead(installation.reader, 'default')
    const applied: string[] = []
    const scope = {
      ...issuing.scope,
      async waitForApplied(position: Position) {
        applied.push(formatPosition(position))
        // A change that is made while the token is minted is after its `pos`.
        await putRole(issuing.scope, 'meanwhile', { permissions: [] })
      },
    }
    const { credential } = await mintToken(scope, INPUT)
    expect(claimsOf(credential).pos).toBe(formatPosition(before))
    expect(applied).toEqual([formatPosition(before)])
  })

  test('reads the head before anything that authenticates the caller (V2)', async () => {
    const key = await createManagementKey(issuing.scope, { name: 'minter', verbs: ['tokens:mint'] })
    const { sqlite, db: reader } = openForReading(join(installation.folder, 'claviger.db'))
    const reads = watchReads(sqlite)
    const parts = { ...installation, reader }
    const mintFacts = new MintFacts({ ...parts, callers: new CallerFacts(parts) })
    await mintToken({ ...issuing.as(managementKey(key.id)), mintFacts }, INPUT)
    const tables = reads.map(({ sql }) => / from "(\w+)"/.exec(sql)?.[1] ?? sql)
    expect(tables.slice(0, 3)).toEqual(['projects', 'keys', 'revocations'])
    sqlite.close()
  })
})

describe('minting is refused', () => {
  test.each([...RESERVED_CLAIMS].filter((name) => name !== '__proto__'))('for the claim %s', async (name) => {
    expect(await codeOf(mintToken(issuing.scope, { ...INPUT, claims: { [name]: 1 } }))).toBe(
      'invalid_request',
    )
  })

  test('for a reserved claim, with a name to take in its place', async () => {
    const call = mintToken(issuing.scope, { ...INPUT, claims: { roles: ['admin'] } })
    await expect(call).rejects.toThrow(/`roles`, which mean.*`https:\/\/example\.com\/roles`/)
  })

  test('for the claim __proto__, which JSON can carry', async () => {
    const input = JSON.parse(`{"subject":"a","audience":"b","claims":{"__proto__":{"roles":["reader"]}}}`)
    expect(await codeOf(mintToken(issuing.scope, input))).toBe('invalid_request')
  })

  test.each([
    ['no subject', { audience: AUDIENCE }],
    ['an empty subject', { subject: '', audience: AUDIENCE }],
    ['half a surrogate pair', { subject: '\ud83e', audience: AUDIENCE }],
    ['no audience', { subject: 'a' }],
    ['an empty audience', { subject: 'a', audience: '' }],
    ['a list of no audience', { subject: 'a', audience: [] }],
    ['an audience that is an object', { subject: 'a', audience: {} }],
    ['a life of nothing', { ...INPUT, ttlSeconds: 0 }],
    ['a life of more than a day', { ...INPUT, ttlSeconds: 86_401 }],
    ['a life in text', { ...INPUT, ttlSeconds: '600' }],
    ['a part of a second', { ...INPUT, ttlSeconds: 1.5 }],
    ['an algorithm that is none', { ...INPUT, algorithm: 'none' }],
    ['an algorithm that is not in the table', { ...INPUT, algorithm: 'HS384' }],
    ['the client of another', { ...INPUT, clientId: 'key_other' }],
    ['a position of its own', { ...INPUT, pos: '1-abcdefgh:9' }],
    ['a role that nobody made (R5)', { ...INPUT, roles: ['nobody'] }],
    ['a permission without an action (R1)', { ...INPUT, permissions: ['documents'] }],
    ['a scope that is no permission (R3)', { ...INPUT, scopes: ['profile', 'documents'] }],
    ['claims nested too deeply', { ...INPUT, claims: { deep: JSON.parse('['.repeat(40) + ']'.repeat(40)) } }],
    ['half a surrogate pair in a claim', { ...INPUT, claims: { name: 'x\udc00' } }],
  ])('for %s', async (_, input) => {
    expect(await codeOf(mintToken(issuing.scope, input))).toBe('invalid_request')
  })

  test('for a token that no verifier would take for its length, and says so', async () => {
    const input = { ...INPUT, claims: { blob: 'x'.repeat(8192) } }
    await expect(mintToken(issuing.scope, input)).rejects.toThrow(/would be \d+ bytes long, and 8192/)
    const largest = await mintToken(issuing.scope, { ...INPUT, claims: { blob: 'x'.repeat(5400) } })
    expect(largest.credential.length).toBeGreaterThan(7800)
    expect(await verdictOn(largest.credential)).toMatchObject({ ok: true })
  })

  test('for a deleted role (R5)', async () => {
    await putRole(issuing.scope, 'gone', { permissions: [] })
    await deleteRole(issuing.scope, 'gone')
    expect(await codeOf(mintToken(issuing.scope, { ...INPUT, roles: ['gone'] }))).toBe('invalid_request')
  })

  test('in the project of the management keys (M1, M4)', async () => {
    const scope = { ...issuing.scope, projectId: 'claviger', project: 'claviger' }
    expect(await codeOf(mintToken(scope, INPUT))).toBe('invalid_request')
  })
})

describe('a management key mints', () => {
  test('in its own name, so that its tokens die with it (V5)', async () => {
    const key = await createManagementKey(issuing.scope, { name: 'backend', preset: 'backend' })
    const { credential } = await mintToken(issuing.as(managementKey(key.id)), INPUT)
    expect(await verdictOn(credential)).toMatchObject({ ok: true, clientId: key.id })
    await revokeManagementKey(issuing.scope, key.id)
    expect(await verdictOn(credential)).toMatchObject({ ok: false, code: 'revoked' })
  })

  test('with a verb and not without (M6)', async () => {
    const key = await createManagementKey(issuing.scope, { name: 'gateway', preset: 'gateway' })
    expect(await codeOf(mintToken(issuing.as(managementKey(key.id)), INPUT))).toBe('forbidden')
  })

  test('what its grants cover, roles by what they confer now (M3)', async () => {
    const grants = ['documents:read', 'billing:*']
    const key = await createManagementKey(issuing.scope, { name: 'narrow', preset: 'backend', grants })
    const scope = issuing.as(managementKey(key.id))
    const mint = (rights: Partial<MintTokenInput>) => mintToken(scope, { ...INPUT, ...rights })
    await putRole(issuing.scope, 'grows', { permissions: ['documents:read'] })
    expect((await mint({ roles: ['reader', 'grows'], permissions: ['billing:pay'] })).id).toMatch(/^tok_/)
    expect(await codeOf(mint({ permissions: ['documents:write'] }))).toBe('exceeds_grants')
    expect(await codeOf(mint({ permissions: ['*:read'] }))).toBe('exceeds_grants')
    await putRole(issuing.scope, 'grows', { permissions: ['documents:*'] })
    expect(await codeOf(mint({ roles: ['grows'] }))).toBe('exceeds_grants')
    // Narrowed to what the grants cover, it may.
    expect((await mint({ roles: ['grows'], scopes: ['documents:read'] })).id).toMatch(/^tok_/)
  })

  test('in no other project than its own (M2)', async () => {
    await createProject(issuing.scope, { name: 'elsewhere', algorithm: 'Ed25519' })
    const elsewhere = await openIssuing(installation, 'elsewhere')
    const key = await createManagementKey(issuing.scope, { name: 'bound', preset: 'backend' })
    expect(await codeOf(mintToken(elsewhere.as(managementKey(key.id)), INPUT))).toBe('not_found')
  })

  test('nothing once it is revoked, disabled, expired or unknown, whatever the input is (M5)', async () => {
    const create = (name: string, rest = {}) =>
      createManagementKey(issuing.scope, { name, preset: 'backend', ...rest })
    const revoked = await create('revoked')
    const disabled = await create('disabled')
    const expiresAt = new Date(installation.clock.nowMs() + HOUR_MS).toISOString()
    const expired = await create('expired', { expiresAt })
    for (const { id } of [revoked, disabled, expired]) {
      expect((await mintToken(issuing.as(managementKey(id)), INPUT)).id).toMatch(/^tok_/)
    }
    await revokeManagementKey(issuing.scope, revoked.id)
    await changeManagementKey(issuing.scope, disabled.id, { disabled: true })
    installation.clock.advance(HOUR_MS)
    for (const id of [revoked.id, disabled.id, expired.id, 'key_unknown']) {
      expect(await codeOf(mintToken(issuing.as(managementKey(id)), { nonsense: 1 }))).toBe('unauthenticated')
    }
  })

  test('a token that a revocation after its `pos` kills, even when the two cross (V2)', async () => {
    const key = await createManagementKey(issuing.scope, { name: 'crossing', preset: 'backend' })
    const scope = {
      ...issuing.as(managementKey(key.id)),
      // The key is revoked after it was found good, and before its token is signed.
      waitForApplied: async () => void (await revokeManagementKey(issuing.scope, key.id)),
    }
    const { credential } = await mintToken(scope, INPUT)
    expect(await verdictOn(credential)).toMatchObject({ ok: false, code: 'revoked' })
  })
})
