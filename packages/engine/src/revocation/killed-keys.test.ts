import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeOf, openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { changeKey } from '../keys/change-key.ts'
import { createKey } from '../keys/create-key.ts'
import type { CreatedKey } from '../keys/key-view.ts'
import { listKeys } from '../keys/list-keys.ts'
import { readKey } from '../keys/read-key.ts'
import { rotateKey } from '../keys/rotate-key.ts'
import type { Scope } from '../scope.ts'
import { createRevocation } from './create-revocation.ts'
import type { Receipt } from './receipt.ts'

let installation: TestInstallation
let scope: Scope
let subjects = 0

beforeAll(async () => {
  installation = await openTestInstallation()
  scope = await installation.scope()
})
afterAll(() => installation.close())

/** Revokes as the project's own callers do; no token is named by its text here. */
function revoke(input: Record<string, unknown>): Promise<Receipt> {
  const identifyToken = () => Promise.resolve({ fault: 'no token is expected here' })
  return createRevocation({ ...scope, identifyToken }, input)
}

describe('a key that a revocation rule has killed', () => {
  test.each<[string, (key: CreatedKey) => Promise<unknown>]>([
    ['its subject', ({ subject }) => revoke({ subject })],
    ['it as a client', ({ id }) => revoke({ clientId: id })],
    ['it by its text', ({ credential }) => revoke({ credential })],
    ['it by its id', ({ id }) => revoke({ keyId: id })],
    ['its subject for ever', ({ subject }) => revoke({ subject, ban: true })],
  ])('by a rule for %s can be neither rotated nor changed, and shows as revoked (V4)', async (_, kill) => {
    const subject = `killed-${subjects++}`
    const key = await createKey(scope, { name: 'a', subject })
    await kill(key)
    expect(await codeOf(rotateKey(scope, key.id))).toBe('revoked')
    expect(await codeOf(changeKey(scope, key.id, { name: 'b' }))).toBe('revoked')
    expect((await readKey(scope, key.id)).status).toBe('revoked')
    expect((await listKeys(scope, { subject, status: 'revoked' })).items.map(({ id }) => id)).toEqual([
      key.id,
    ])
    expect((await listKeys(scope, { subject, status: 'active' })).items).toEqual([])
  })

  test('is not one that was created after it, nor one that the rule spares (V1, V2)', async () => {
    const spared = await createKey(scope, { name: 'a', subject: 'spared' })
    await revoke({ subject: 'spared', only: 'tokens' })
    await revoke({ subject: 'spared', issuedBefore: spared.createdAt })
    expect((await readKey(scope, spared.id)).status).toBe('active')
    await revoke({ subject: 'late' })
    const late = await createKey(scope, { name: 'a', subject: 'late' })
    await rotateKey(scope, late.id)
    expect((await listKeys(scope, { subject: 'late', status: 'revoked' })).items).toEqual([])
  })
})
