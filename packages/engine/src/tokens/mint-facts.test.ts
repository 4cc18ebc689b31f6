import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  codeOf,
  managementKey,
  openTestInstallation,
  type TestInstallation,
} from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing } from '../../test/issuing.ts'
import { CallerFacts } from '../management/caller-facts.ts'
import { changeManagementKey } from '../management/change-management-key.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { revokeManagementKey } from '../management/revoke-management-key.ts'
import { createRevocation } from '../revocation/create-revocation.ts'
import { deleteRole } from '../roles/delete-role.ts'
import { putRole } from '../roles/put-role.ts'
import { setPublicUrl } from '../signing/public-url.ts'
import { MintFacts } from './mint-facts.ts'
import { mintToken } from './mint-token.ts'

const INPUT = { subject: 'user_1', audience: AUDIENCE, roles: ['reader'] }

let installation: TestInstallation
let issuing: Issuing

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
  await putRole(issuing.scope, 'reader', { permissions: ['documents:read'] })
})
afterAll(() => installation.close())

async function minter(more: object = {}): Promise<{ id: string; scope: Issuing['scope'] }> {
  const input = { name: 'minter', verbs: ['tokens:mint'], grants: ['documents:*'], ...more }
  const { id } = await createManagementKey(issuing.scope, input)
  const scope = issuing.as(managementKey(id))
  await mintToken(scope, INPUT)
  return { id, scope }
}

describe('what minting has read before is not used any more, at the very next call, after', () => {
  test('its key was revoked (M1)', async () => {
    const { id, scope } = await minter()
    await revokeManagementKey(issuing.scope, id, {})
    expect(await codeOf(mintToken(scope, INPUT))).toBe('unauthenticated')
  })

  test('its key was disabled, and enabled again', async () => {
    const { id, scope } = await minter()
    await changeManagementKey(issuing.scope, id, { disabled: true })
    expect(await codeOf(mintToken(scope, INPUT))).toBe('unauthenticated')
    await changeManagementKey(issuing.scope, id, { disabled: false })
    await mintToken(scope, INPUT)
  })

  test('its key expired: no change tells that', async () => {
    const expiresAt = new Date(installation.clock.nowMs() + 1000).toISOString()
    const { scope } = await minter({ expiresAt })
    installation.clock.advance(1000)
    expect(await codeOf(mintToken(scope, INPUT))).toBe('unauthenticated')
  })

  test('the verb or the grants were taken from its key (M3, M6)', async () => {
    const { id, scope } = await minter()
    await changeManagementKey(issuing.scope, id, { grants: ['billing:*'] })
    expect(await codeOf(mintToken(scope, INPUT))).toBe('exceeds_grants')
    await changeManagementKey(issuing.scope, id, { verbs: ['keys:read'], grants: ['documents:*'] })
    expect(await codeOf(mintToken(scope, INPUT))).toBe('forbidden')
  })

  test('a role of the token was widened beyond its grants, or deleted (M3, R5)', async () => {
    const { scope } = await minter()
    await putRole(issuing.scope, 'growing', { permissions: [] })
    await mintToken(scope, { ...INPUT, roles: ['growing'] })
    await putRole(issuing.scope, 'growing', { permissions: ['billing:write'] })
    expect(await codeOf(mintToken(scope, { ...INPUT, roles: ['growing'] }))).toBe('exceeds_grants')
    await deleteRole(issuing.scope, 'growing')
    expect(await codeOf(mintToken(scope, { ...INPUT, roles: ['growing'] }))).toBe('invalid_request')
  })

  test('the public URL changed', async () => {
    await setPublicUrl(installation, 'https://new.example.com')
    const { credential } = await mintToken(issuing.scope, INPUT)
    const payload = JSON.parse(Buffer.from(credential.split('.')[1] ?? '', 'base64url').toString())
    expect(payload.iss).toBe('https://new.example.com')
  })

  test('a revocation: the next token is younger than it (V2)', async () => {
    await mintToken(issuing.scope, INPUT)
    await createRevocation(issuing.scope, { subject: 'user_1' })
    const { credential } = await mintToken(issuing.scope, INPUT)
    expect(await issuing.verifier.verify({ credential })).toMatchObject({ ok: true })
  })
})

test('a caller that was known before is not taken with a head that is younger than its revocation (V2)', async () => {
  // Told of nothing, as between a commit and the word of it.
  const writer = { alive: true, onChanges: () => () => {} }
  const callers = new CallerFacts({ ...installation, writer })
  const { id, scope } = await minter()
  await callers.read(scope.actor)
  await revokeManagementKey(issuing.scope, id, {})
  const mintFacts = new MintFacts({ ...installation, writer, callers })
  expect(await codeOf(mintToken({ ...scope, mintFacts }, INPUT))).toBe('unauthenticated')
})
