import { sha256 } from '@claviger/verify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeOf, openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing } from '../../test/issuing.ts'
import { createKey } from '../keys/create-key.ts'
import { createRevocation } from '../revocation/create-revocation.ts'
import { mintToken } from '../tokens/mint-token.ts'
import { createManagementKey } from './create-management-key.ts'
import { rotateManagementKey } from './rotate-management-key.ts'

let installation: TestInstallation
let issuing: Issuing

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
})
afterAll(() => installation.close())

/** A request that was authenticated by a text, and whose body is still on its way. */
async function authenticated(): Promise<{ id: string; text: string; scope: Issuing['scope'] }> {
  const input = { name: 'login', verbs: ['tokens:mint', 'keys:write'], grants: ['*:*'] }
  const { id, credential } = await createManagementKey(issuing.scope, input)
  const text = String(credential)
  const scope = issuing.as({ kind: 'management-key', keyId: id, digest: sha256(text) })
  await mintToken(scope, { subject: 'a', audience: AUDIENCE })
  return { id, text, scope }
}

async function expectRefused(scope: Issuing['scope']): Promise<void> {
  expect(await codeOf(mintToken(scope, { subject: 'a', audience: AUDIENCE }))).toBe('unauthenticated')
  expect(await codeOf(createKey(scope, { name: 'a' }))).toBe('unauthenticated')
}

describe('V2, V6: a request is worth no more than the text that it was authenticated by', () => {
  test('once that text was revoked, though its key lives on', async () => {
    const { id, text, scope } = await authenticated()
    const { credential } = await rotateManagementKey(issuing.scope, id, {})
    await mintToken(scope, { subject: 'a', audience: AUDIENCE })
    await createRevocation(issuing.scope, { credential: text })
    await expectRefused(scope)
    const fresh = issuing.as({ kind: 'management-key', keyId: id, digest: sha256(String(credential)) })
    await mintToken(fresh, { subject: 'a', audience: AUDIENCE })
  })

  test('once its overlap has ended, of which no change tells', async () => {
    const { id, scope } = await authenticated()
    await rotateManagementKey(issuing.scope, id, { overlapSeconds: 60 })
    await mintToken(scope, { subject: 'a', audience: AUDIENCE })
    installation.clock.advance(60_000)
    await expectRefused(scope)
  })

  test('once it was rotated without an overlap', async () => {
    const { id, scope } = await authenticated()
    await rotateManagementKey(issuing.scope, id, { overlapSeconds: 0 })
    await expectRefused(scope)
  })
})
