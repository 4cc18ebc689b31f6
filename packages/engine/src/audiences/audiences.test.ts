import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  codeOf,
  managementKey,
  openTestInstallation,
  type TestInstallation,
} from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing } from '../../test/issuing.ts'
import { readHead } from '../changes/read-head.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { createProject } from '../projects/create-project.ts'
import { mintToken } from '../tokens/mint-token.ts'
import { deleteAudience } from './delete-audience.ts'
import { listAudiences } from './list-audiences.ts'
import { putAudience } from './put-audience.ts'
import { readAudience } from './read-audience.ts'

const OTHER = 'https://other.example.com/path?x=ä'

let installation: TestInstallation
let issuing: Issuing

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
})
afterAll(() => installation.close())

async function mint(input: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const { credential } = await mintToken(issuing.scope, { subject: 'user_1', audience: AUDIENCE, ...input })
  const [header, payload] = credential
    .split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
  return { ...payload, alg: header.alg, life: payload.exp - payload.iat }
}

describe('a token for an audience with defaults', () => {
  test('gets its life, algorithm and claims where the call does not say otherwise, and the call wins', async () => {
    expect(await mint()).toMatchObject({ life: 600, alg: 'RS256' })
    await putAudience(issuing.scope, AUDIENCE, {
      ttlSeconds: 60,
      algorithm: 'Ed25519',
      claims: { plan: 'gold', region: 'eu' },
    })
    expect(await mint()).toMatchObject({ life: 60, alg: 'Ed25519', plan: 'gold', region: 'eu' })
    const said = await mint({ ttlSeconds: 90, algorithm: 'ES256', claims: { plan: 'free', seats: 3 } })
    expect(said).toMatchObject({ life: 90, alg: 'ES256', plan: 'free', region: 'eu', seats: 3 })
    expect(await mint({ audience: OTHER })).toMatchObject({ life: 600, alg: 'RS256' })
  })

  test('counts with what the next token is minted with, and no longer once it is deleted', async () => {
    await putAudience(issuing.scope, AUDIENCE, { ttlSeconds: 30 })
    expect(await mint()).toMatchObject({ life: 30, alg: 'RS256' })
    expect(await mint()).not.toHaveProperty('plan')
    await deleteAudience(issuing.scope, AUDIENCE)
    expect(await mint()).toMatchObject({ life: 600 })
  })

  test('and for others besides lives as short as the shortest, with the claims of the one named first', async () => {
    await putAudience(issuing.scope, AUDIENCE, { ttlSeconds: 500, claims: { plan: 'gold', a: 1 } })
    await putAudience(issuing.scope, OTHER, {
      ttlSeconds: 50,
      algorithm: 'ES256',
      claims: { plan: 'x', b: 2 },
    })
    const both = { life: 50, alg: 'ES256', a: 1, b: 2 }
    expect(await mint({ audience: [AUDIENCE, OTHER] })).toMatchObject({ ...both, plan: 'gold' })
    expect(await mint({ audience: [OTHER, AUDIENCE] })).toMatchObject({ ...both, plan: 'x' })
    await deleteAudience(issuing.scope, AUDIENCE)
    await deleteAudience(issuing.scope, OTHER)
  })

  test('of another project gets none of them', async () => {
    await createProject(issuing.scope, { name: 'elsewhere' })
    const elsewhere = await openIssuing(installation, 'elsewhere')
    await putAudience(elsewhere.scope, AUDIENCE, { ttlSeconds: 5 })
    expect(await mint()).toMatchObject({ life: 600 })
    expect(await codeOf(readAudience(issuing.scope, AUDIENCE))).toBe('not_found')
  })
})

describe('the record of an audience', () => {
  test('is created, replaced, read, listed by name and deleted, each with an audit entry and a position (C1)', async () => {
    const before = await readHead(installation.reader, 'default')
    const created = await putAudience(issuing.scope, OTHER, { ttlSeconds: 60, claims: { plan: 'gold' } })
    installation.clock.advance(1000)
    const changed = await putAudience(issuing.scope, OTHER, { algorithm: 'ES256' })
    expect(changed).toEqual({
      ...created,
      ttlSeconds: null,
      algorithm: 'ES256',
      claims: {},
      changedAt: new Date(installation.clock.nowMs()).toISOString(),
    })
    expect(await readAudience(issuing.scope, OTHER)).toEqual(changed)
    await putAudience(issuing.scope, 'a', {})
    const first = await listAudiences(issuing.scope, { limit: 1 })
    expect(first.items.map(({ audience }) => audience)).toEqual(['a'])
    const rest = await listAudiences(issuing.scope, { cursor: first.nextCursor })
    expect(rest).toEqual({ items: [changed], nextCursor: null })
    await deleteAudience(issuing.scope, OTHER)
    await deleteAudience(issuing.scope, 'a')
    expect(await codeOf(deleteAudience(issuing.scope, 'a'))).toBe('not_found')
    expect((await readHead(installation.reader, 'default')).number).toBe(before.number + 5)
    const entries = await installation.reader
      .selectFrom('audit')
      .select(['action', 'detail'])
      .where('target', '=', OTHER)
      .orderBy('sequence', 'desc')
      .limit(3)
      .execute()
    expect(entries.map(({ action }) => action)).toEqual(['audience.delete', 'audience.put', 'audience.put'])
    // The audit keeps names of claims, not what they hold.
    expect(entries[2]?.detail).toContain('plan')
    expect(entries[2]?.detail).not.toContain('gold')
  })

  test.each([
    ['a reserved claim', AUDIENCE, { claims: { roles: ['admin'] } }],
    ['the claim that names parents', AUDIENCE, { claims: { parents: [] } }],
    ['a life of more than a day', AUDIENCE, { ttlSeconds: 86_401 }],
    ['an algorithm that is none', AUDIENCE, { algorithm: 'none' }],
    ['a member that nobody knows', AUDIENCE, { scopes: [] }],
    ['claims of more than 4 KiB', AUDIENCE, { claims: { blob: 'x'.repeat(4096) } }],
    ['half a surrogate pair in a claim', AUDIENCE, { claims: { name: '\udc00' } }],
    ['an audience without a name', '', {}],
    ['an audience of too long a name', 'x'.repeat(256), {}],
  ])('is refused for %s', async (_, audience, input) => {
    expect(await codeOf(putAudience(issuing.scope, audience, input))).toBe('invalid_request')
  })

  test('is written by nobody who could not mint such tokens, and in no other project (M3, M2)', async () => {
    const as = async (verbs: string[]) => {
      const { id } = await createManagementKey(issuing.scope, { name: 'caller', verbs })
      return issuing.as(managementKey(id))
    }
    const writer = await as(['projects:write'])
    expect(await codeOf(putAudience(writer, AUDIENCE, { claims: { admin: true } }))).toBe('forbidden')
    const minter = await as(['tokens:mint', 'projects:read'])
    expect(await codeOf(putAudience(minter, AUDIENCE, {}))).toBe('forbidden')
    const both = await as(['projects:write', 'tokens:mint'])
    expect(await putAudience(both, AUDIENCE, {})).toMatchObject({ audience: AUDIENCE })
    expect(await codeOf(deleteAudience(writer, AUDIENCE))).toBe('forbidden')
    expect(await readAudience(minter, AUDIENCE)).toMatchObject({ audience: AUDIENCE })
    expect(await codeOf(readAudience(writer, AUDIENCE))).toBe('forbidden')
    const elsewhere = await openIssuing(installation, 'elsewhere')
    expect(await codeOf(putAudience({ ...elsewhere.scope, actor: both.actor }, AUDIENCE, {}))).toBe(
      'not_found',
    )
    await deleteAudience(both, AUDIENCE)
  })
})
