import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { openIssuing } from '../../test/issuing.ts'
import { createKey } from '../keys/create-key.ts'
import { createProject } from '../projects/create-project.ts'
import { putRole } from '../roles/put-role.ts'
import { type AuditCheckpoint, isCheckpointSigned } from './checkpoint.ts'
import { CheckpointKeeper } from './checkpoint-keeper.ts'
import { readAuditKey } from './read-audit-key.ts'

let installation: TestInstallation

beforeAll(async () => {
  installation = await openTestInstallation()
})
afterAll(() => installation.close())

function openKeeper() {
  const made: AuditCheckpoint[] = []
  const keeper = new CheckpointKeeper({
    writer: installation.writer,
    onCheckpoint: (checkpoint) => made.push(checkpoint),
    onFailure: (message) => {
      throw new Error(message)
    },
  })
  return { keeper, take: () => made.splice(0).map(({ projectId }) => projectId), made }
}

test('checkpoints are made where something was done since the last, and for nothing else', async () => {
  const { keeper, take } = openKeeper()
  const scope = await installation.scope()
  const { id: other } = await createProject(scope, { name: 'other' })
  await keeper.make()
  expect(take().sort()).toEqual(['claviger', 'default', other].sort())
  await keeper.make()
  expect(take()).toEqual([])
  await putRole(scope, 'a', { permissions: [] })
  await keeper.make()
  expect(take()).toEqual(['default'])
  await putRole(await installation.scope('other'), 'a', { permissions: [] })
  await keeper.close()
  expect(take()).toEqual([other])
})

test('they are in the feed, where verifiers pass over them, and anybody can check them by the public key', async () => {
  const { scope, verifier } = await openIssuing(installation)
  const { credential } = await createKey(scope, { name: 'a' })
  const { keeper, made } = openKeeper()
  installation.takeFacts('default')
  const before = verifier.applied
  await keeper.close()
  const checkpoint = made.find(({ projectId }) => projectId === 'default')
  if (checkpoint === undefined || before === undefined) throw new Error('no checkpoint was made')
  const { sequence, mac, signature } = checkpoint
  expect(installation.takeFacts('default')).toMatchObject([
    { type: 'audit-checkpoint', sequence, mac, signature },
  ])
  expect(verifier.applied).toEqual({ ...before, number: before.number + 1 })
  expect(await verifier.verify({ credential })).toMatchObject({ ok: true })

  const { publicJwk } = await readAuditKey(scope)
  expect(isCheckpointSigned(publicJwk, checkpoint)).toBe(true)
  expect(isCheckpointSigned(publicJwk, { ...checkpoint, sequence: sequence + 1 })).toBe(false)
})
