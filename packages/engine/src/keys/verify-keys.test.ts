import { type VerdictCode, Verifier } from '@claviger/verify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { DatabaseSource } from '../changes/database-source.ts'
import { deleteRole } from '../roles/delete-role.ts'
import { putRole } from '../roles/put-role.ts'
import type { Scope } from '../scope.ts'
import { deleteSubject } from '../subjects/delete-subject.ts'
import { putSubject } from '../subjects/put-subject.ts'
import { changeKey } from './change-key.ts'
import { createKey } from './create-key.ts'
import { deleteKey } from './delete-key.ts'
import { revokeKey } from './revoke-key.ts'
import { rotateKey } from './rotate-key.ts'

let installation: TestInstallation
let scope: Scope
let verifier: Verifier

beforeEach(async () => {
  installation = await openTestInstallation()
  scope = await installation.scope()
  verifier = await Verifier.open({ source: new DatabaseSource(installation, scope.projectId) })
  await putRole(scope, 'reader', { permissions: ['documents:read'] })
})
afterEach(() => installation.close())

/** What the verifier answers: from its caches when it can, and the same when it cannot. */
async function ask(
  credential: string,
  request: { permissions?: string; ip?: string } = {},
): Promise<'ok' | VerdictCode> {
  const { permissions, ip } = request
  const verdict = await verifier.verify({
    credential,
    ...(permissions === undefined ? {} : { require: { permissions } }),
    ...(ip === undefined ? {} : { context: { ip } }),
  })
  return verdict.ok ? 'ok' : verdict.code
}

function inSeconds(seconds: number): string {
  return new Date(installation.clock.nowMs() + seconds * 1000).toISOString()
}

describe('what is done to a key holds for the next verification, with every cache warm', () => {
  test('a rotation: both texts work, and the former one no longer than its overlap (V6)', async () => {
    const { id, credential } = await createKey(scope, { name: 'a' })
    expect(await ask(credential)).toBe('ok')
    const second = await rotateKey(scope, id, { overlapSeconds: 60 })
    expect([await ask(credential), await ask(second.credential)]).toEqual(['ok', 'ok'])
    installation.clock.advance(59_999)
    expect(await ask(credential)).toBe('ok')
    installation.clock.advance(1)
    expect([await ask(credential), await ask(second.credential)]).toEqual(['rotated_out', 'ok'])
    const third = await rotateKey(scope, id, { overlapSeconds: 0 })
    expect([await ask(second.credential), await ask(third.credential)]).toEqual(['rotated_out', 'ok'])
  })

  test('rotations side by side: exactly one text stays when their overlap is over (V6)', async () => {
    const { id, credential } = await createKey(scope, { name: 'a' })
    const rotations = await Promise.all([1, 2, 3].map(() => rotateKey(scope, id, { overlapSeconds: 10 })))
    const texts = [credential, ...rotations.map((rotation) => rotation.credential)]
    expect(await Promise.all(texts.map((text) => ask(text)))).toEqual(['ok', 'ok', 'ok', 'ok'])
    installation.clock.advance(10_000)
    expect((await Promise.all(texts.map((text) => ask(text)))).sort()).toEqual([
      'ok',
      'rotated_out',
      'rotated_out',
      'rotated_out',
    ])
  })

  test('a revocation, of every text of the key (V4)', async () => {
    const { id, credential } = await createKey(scope, { name: 'a' })
    const rotated = await rotateKey(scope, id)
    expect([await ask(credential), await ask(rotated.credential)]).toEqual(['ok', 'ok'])
    await revokeKey(scope, id)
    expect([await ask(credential), await ask(rotated.credential)]).toEqual(['revoked', 'revoked'])
  })

  test('a deletion: the text stays revoked, and is never unknown again (V4)', async () => {
    const { id, credential } = await createKey(scope, { name: 'a' })
    expect(await ask(credential)).toBe('ok')
    await deleteKey(scope, id)
    expect(await ask(credential)).toBe('revoked')
    verifier = await Verifier.open({ source: new DatabaseSource(installation, scope.projectId) })
    expect(await ask(credential)).toBe('revoked')
  })

  test('disabling, enabling, an earlier expiry, a later beginning, other addresses', async () => {
    const { id, credential } = await createKey(scope, { name: 'a' })
    expect(await ask(credential)).toBe('ok')
    await changeKey(scope, id, { disabled: true })
    expect(await ask(credential)).toBe('disabled')
    await changeKey(scope, id, { disabled: false, notBefore: inSeconds(10) })
    expect(await ask(credential)).toBe('not_yet_valid')
    await changeKey(scope, id, { notBefore: null, ipAllow: ['192.0.2.0/24'] })
    expect(await ask(credential)).toBe('ip_denied')
    expect(await ask(credential, { ip: '192.0.2.7' })).toBe('ok')
    await changeKey(scope, id, { expiresAt: inSeconds(-1) })
    expect(await ask(credential, { ip: '192.0.2.7' })).toBe('expired')
  })

  test('a role’s permissions, and its deletion (R5)', async () => {
    const { credential } = await createKey(scope, { name: 'a', roles: ['reader'] })
    expect(await ask(credential, { permissions: 'documents:read' })).toBe('ok')
    expect(await ask(credential, { permissions: 'documents:write' })).toBe('insufficient_permissions')
    await putRole(scope, 'reader', { permissions: ['documents:*'] })
    expect(await ask(credential, { permissions: 'documents:write' })).toBe('ok')
    await deleteRole(scope, 'reader')
    expect(await ask(credential, { permissions: 'documents:read' })).toBe('insufficient_permissions')
  })

  test('a subject’s record: it bounds, disables, and its deletion ends both (R6)', async () => {
    const { credential } = await createKey(scope, { name: 'a', subject: 'u1', permissions: ['documents:*'] })
    expect(await ask(credential, { permissions: 'documents:write' })).toBe('ok')
    await putSubject(scope, 'u1', { roles: ['reader'] })
    expect(await ask(credential, { permissions: 'documents:write' })).toBe('insufficient_permissions')
    expect(await ask(credential, { permissions: 'documents:read' })).toBe('ok')
    await putSubject(scope, 'u1', { disabled: true })
    expect(await ask(credential)).toBe('disabled')
    await deleteSubject(scope, 'u1')
    expect(await ask(credential, { permissions: 'documents:write' })).toBe('ok')
  })

  test('a creation: a text that was unknown a moment ago is a key now (F1)', async () => {
    const pending = createKey(scope, { name: 'a' })
    expect(await ask((await pending).credential)).toBe('ok')
  })
})
