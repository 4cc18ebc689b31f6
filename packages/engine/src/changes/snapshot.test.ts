import type { Snapshot } from '@claviger/verify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeOf, openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { type Issuing, openIssuing, PUBLIC_URL } from '../../test/issuing.ts'
import { changeKey } from '../keys/change-key.ts'
import { createKey } from '../keys/create-key.ts'
import { changeManagementKey } from '../management/change-management-key.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { createProject } from '../projects/create-project.ts'
import { createRevocation } from '../revocation/create-revocation.ts'
import { deleteRole } from '../roles/delete-role.ts'
import { putRole } from '../roles/put-role.ts'
import type { Scope } from '../scope.ts'
import { putSubject } from '../subjects/put-subject.ts'
import { readHead } from './read-head.ts'
import { readSnapshot } from './snapshot.ts'

const DAY_MS = 86_400_000

let installation: TestInstallation
let issuing: Issuing
let scope: Scope

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
  scope = issuing.scope
})
afterAll(() => installation.close())

async function snapshot(project = 'default'): Promise<Snapshot> {
  const { projectId } = await installation.scope(project)
  return readSnapshot(installation.reader, { projectId, nowMs: installation.clock.nowMs() })
}

async function factsOf<Type extends Snapshot['facts'][number]['type']>(type: Type, project?: string) {
  const { facts } = await snapshot(project)
  return facts.filter((fact): fact is Extract<typeof fact, { type: Type }> => fact.type === type)
}

describe('a snapshot', () => {
  test('says the head, the epochs, the issuers and the signing keys', async () => {
    const { project, position, epochs, facts } = await snapshot()
    expect(project).toBe('default')
    expect(position).toEqual(await readHead(installation.reader, 'default'))
    expect(epochs).toEqual([position.epoch])
    expect(facts[0]).toEqual({ type: 'issuers', own: [{ url: PUBLIC_URL, acceptUntilMs: null }] })
    const [signingKey] = await factsOf('signing-key')
    expect(signingKey).toMatchObject({ algorithm: 'RS256', status: 'active', publicJwk: { kty: 'RSA' } })
    expect(signingKey?.publicJwk).not.toHaveProperty('d')
  })

  test('has the live roles and the subject records, and nothing of a deleted role', async () => {
    await putRole(scope, 'reader', { permissions: ['documents:read'] })
    await putRole(scope, 'gone', { permissions: ['a:b'] })
    await deleteRole(scope, 'gone')
    await putSubject(scope, 'user_1', { roles: ['reader'], disabled: true, metadata: { team: 'a' } })
    expect(await factsOf('role')).toEqual([{ type: 'role', name: 'reader', permissions: ['documents:read'] }])
    expect(await factsOf('subject')).toEqual([
      {
        type: 'subject',
        issuer: null,
        subject: 'user_1',
        record: { roles: ['reader'], disabled: true, metadata: { team: 'a' } },
      },
    ])
  })

  test('has the disabled keys that tokens may name, as long as one of those can live (V5)', async () => {
    const customer = await createKey(scope, { name: 'customer' })
    const manager = await createManagementKey(scope, { name: 'manager', preset: 'backend' })
    await changeKey(scope, customer.id, { disabled: true })
    await changeManagementKey(scope, manager.id, { disabled: true })
    await createProject(scope, { name: 'apart', algorithm: 'Ed25519' })
    const disabled = async (project?: string) => (await factsOf('client', project)).map(({ id }) => id).sort()
    expect(await disabled()).toEqual([customer.id, manager.id].sort())
    expect(await disabled('apart')).toEqual([])
    await changeKey(scope, customer.id, { disabled: false })
    expect(await disabled()).toEqual([manager.id])
    installation.clock.advance(2 * DAY_MS)
    expect(await disabled()).toEqual([])
  })

  test('has the rules that a token can meet, and no other (V7)', async () => {
    const revoke = async (input: object) => (await createRevocation(issuing.scope, input)).id
    const { id: keyId } = await createKey(scope, { name: 'ended' })
    await revoke({ subject: 'user_2' })
    await revoke({ subject: 'user_3', only: 'keys' })
    const ban = await revoke({ clientId: 'client_1', ban: true })
    await revoke({ tokenId: 'tok_1' })
    await revoke({ keyId })
    const { rules } = await snapshot()
    const kills = (which: object) =>
      rules?.killsToken({
        issuer: null,
        tokenId: 'tok_0',
        subject: 'user_0',
        clientId: null,
        sessionId: null,
        pos: null,
        issuedAtMs: 0,
        skewMs: 0,
        ...which,
      })
    expect(kills({})).toBe(false)
    expect([kills({ subject: 'user_2' }), kills({ tokenId: 'tok_1' })]).toEqual([true, true])
    expect(kills({ subject: 'user_3' })).toBe(false)
    // What was issued to the ended key dies as its client's.
    const others = (await factsOf('revocation')).map(({ rule }) => rule)
    expect(others).toContainEqual(expect.objectContaining({ kind: 'client', target: keyId }))
    expect(others.map(({ id }) => id)).toContain(ban)
    expect(others).toHaveLength(2)
    installation.clock.advance(2 * DAY_MS + 1)
    const later = await snapshot()
    expect(later.rules?.size).toBe(0)
    expect((await factsOf('revocation')).map(({ rule }) => rule.id)).toEqual([ban])
  })

  test('holds nothing of another project (F3)', async () => {
    const facts = JSON.stringify((await snapshot('apart')).facts)
    expect(facts).not.toContain('user_1')
    expect(facts).not.toContain('documents:read')
    expect(await factsOf('revocation', 'apart')).toEqual([])
    expect((await snapshot('apart')).rules?.size).toBe(0)
    expect(await factsOf('issuers', 'apart')).toEqual([
      { type: 'issuers', own: [{ url: `${PUBLIC_URL}/p/apart`, acceptUntilMs: null }] },
    ])
  })

  test('of no project is none', async () => {
    const call = readSnapshot(installation.reader, { projectId: 'prj_none', nowMs: 0 })
    expect(await codeOf(call)).toBe('not_found')
  })
})
