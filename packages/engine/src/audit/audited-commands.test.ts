import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing } from '../../test/issuing.ts'
import { deleteAudience } from '../audiences/delete-audience.ts'
import { putAudience } from '../audiences/put-audience.ts'
import { commands } from '../commands/registry.ts'
import { deleteKeyShape } from '../key-shapes/delete-key-shape.ts'
import { putKeyShape } from '../key-shapes/put-key-shape.ts'
import { changeKey } from '../keys/change-key.ts'
import { createKey } from '../keys/create-key.ts'
import { deleteKey } from '../keys/delete-key.ts'
import { importKeys } from '../keys/import-keys.ts'
import { revokeKey } from '../keys/revoke-key.ts'
import { rotateKey } from '../keys/rotate-key.ts'
import { changeManagementKey } from '../management/change-management-key.ts'
import { createManagementKey } from '../management/create-management-key.ts'
import { deleteManagementKey } from '../management/delete-management-key.ts'
import { revokeManagementKey } from '../management/revoke-management-key.ts'
import { resetRootKey } from '../management/root-key.ts'
import { rotateManagementKey } from '../management/rotate-management-key.ts'
import { changeProject } from '../projects/change-project.ts'
import { createProject } from '../projects/create-project.ts'
import { createRevocation } from '../revocation/create-revocation.ts'
import { liftBan } from '../revocation/lift-ban.ts'
import { deleteRole } from '../roles/delete-role.ts'
import { putRole } from '../roles/put-role.ts'
import { createSession } from '../sessions/create-session.ts'
import { refreshSession } from '../sessions/refresh-session.ts'
import { revokeSession } from '../sessions/revoke-session.ts'
import { addSigningKey } from '../signing/add-signing-key.ts'
import { createSigningKey } from '../signing/create-signing-key.ts'
import { setPublicUrl } from '../signing/public-url.ts'
import { rotateSigningKey } from '../signing/rotate-signing-key.ts'
import { setSigningSchedule } from '../signing/signing-schedule.ts'
import { turnDueRings } from '../signing/turn-due-rings.ts'
import { deleteSubject } from '../subjects/delete-subject.ts'
import { patchSubject } from '../subjects/patch-subject.ts'
import { putSubject } from '../subjects/put-subject.ts'
import { mintToken } from '../tokens/mint-token.ts'
import { pruneAudit } from './prune-entries.ts'
import { RefusalRecorder } from './refusal-recorder.ts'

const DAY_MS = 86_400_000

/** Commands that leave no entry, and why none is owed. */
const UNAUDITED: Readonly<Record<string, string>> = {
  'record-usage': 'It counts what was verified: statistics, and no change (rule C6).',
  'cover-grants': 'It says until when leases run, and is no change (rule C6).',
  'store-usage-batch':
    'It counts what verifiers in other processes verified: statistics, and no change (rule C6).',
  'reserve-units': 'It counts what limits have let pass, and is no change (rule C6).',
  'prune-limit-counters': 'It forgets what was counted in periods that are over, and is no change (rule C6).',
  'prune-sessions':
    'It forgets sessions of which nothing can be used any more: nobody can tell the difference.',
  'prune-usage': 'It forgets statistics whose time is over, and is no change either (rule C6).',
  'make-audit-checkpoints': 'It vouches for the entries: one of its own would be something new to vouch for.',
}

let installation: TestInstallation
let issuing: Issuing
/** The names of the commands that have run and left an entry. */
const audited = new Set<string>()

beforeAll(async () => {
  installation = await openTestInstallation()
  audited.add('install')
  const { writer } = installation
  const run = writer.run.bind(writer)
  // The command runs as ever; what it leaves is looked at before the next one can begin.
  writer.run = async (...call) => {
    const before = await countEntries()
    const result = await run(...call)
    if ((await countEntries()) > before) audited.add(call[0])
    return result
  }
  issuing = await openIssuing(installation)
})
afterAll(() => installation.close())

/** How many were ever written: pruning removes some. */
async function countEntries(): Promise<number> {
  const chains = await installation.reader
    .selectFrom('audit')
    .select(({ fn }) => fn.max('sequence').as('last'))
    .groupBy('project_id')
    .execute()
  return chains.reduce((sum, { last }) => sum + last, 0)
}

test('the first start leaves entries', async () => {
  expect(await countEntries()).toBeGreaterThan(3)
})

test('every command that changes something leaves an audit entry (C1)', async () => {
  const { scope } = issuing
  await setPublicUrl(installation, 'https://other.example.com')
  await createProject(scope, { name: 'other' })
  await changeProject(scope, 'other', { caps: { keys: 10 } })
  await putRole(scope, 'reader', { permissions: ['documents:read'] })
  await putSubject(scope, 'alice', { roles: ['reader'] })
  await patchSubject(scope, 'alice', { disabled: true })
  await deleteSubject(scope, 'alice')
  await putAudience(scope, AUDIENCE, { ttlSeconds: 60 })
  await deleteAudience(scope, AUDIENCE)

  const key = await createKey(scope, { name: 'a key', roles: ['reader'] })
  await changeKey(scope, key.id, { name: 'another name' })
  await rotateKey(scope, key.id, {})
  await revokeKey(scope, key.id, {})
  await deleteKey(scope, key.id)
  await deleteRole(scope, 'reader')

  const limits = [{ name: 'per-minute', limit: 1, windowSeconds: 60 }]
  const limited = await createKey(scope, { name: 'limited', limits })
  await mintToken(scope, { parent: limited.credential, audience: AUDIENCE })

  const shape = { prefix: 'old_', alphabet: '0-9a-f', length: 40, hashEncoding: 'hex' }
  await putKeyShape(scope, 'hex', shape)
  await putKeyShape(scope, 'gone', { ...shape, prefix: 'gone_' })
  await deleteKeyShape(scope, 'gone')
  await importKeys(scope, { shape: 'hex', keys: [{ hash: 'ab'.repeat(32) }] })

  const manager = await createManagementKey(scope, { name: 'a manager', preset: 'backend' })
  await changeManagementKey(scope, manager.id, { name: 'another name' })
  await rotateManagementKey(scope, manager.id, {})
  await revokeManagementKey(scope, manager.id, {})
  await deleteManagementKey(scope, manager.id)
  await resetRootKey(scope)

  const session = await createSession(scope, { subject: 'bob', audience: AUDIENCE, permissions: ['a:b'] })
  await refreshSession(scope, { refreshToken: session.refreshToken })
  await revokeSession(scope, session.id, {})
  const ban = await createRevocation(scope, { subject: 'bob', ban: true })
  await liftBan(scope, ban.id)

  await addSigningKey(installation, { projectId: scope.projectId, algorithm: 'ES256' })
  await createSigningKey(scope, { algorithm: 'Ed25519' })
  await rotateSigningKey(scope, { algorithm: 'ES256' })
  await setSigningSchedule(scope, { periodSeconds: 90 * 86_400 })
  installation.clock.advance(2 * DAY_MS)
  await turnDueRings(installation, (error) => {
    throw error
  })

  const recorder = new RefusalRecorder({
    writer: installation.writer,
    clock: installation.clock,
    onWritten: () => {},
    onFailure: (error) => {
      throw error
    },
  })
  recorder.record({ keyId: null, reason: 'unauthenticated', call: 'GET /v1/keys', origin: {} })
  await recorder.close()
  await pruneAudit(scope, { before: new Date(installation.clock.nowMs() - DAY_MS).toISOString() })

  const owed = Object.keys(commands).filter((name) => UNAUDITED[name] === undefined)
  expect([...audited].sort()).toEqual(owed.sort())
})
