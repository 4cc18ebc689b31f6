import { sha256 } from '@claviger/verify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  codeOf,
  managementKey,
  openTestInstallation,
  type TestInstallation,
} from '../../test/installation.ts'
import { openIssuing } from '../../test/issuing.ts'
import { readHead } from '../changes/read-head.ts'
import type { Actor } from '../commands/command.ts'
import { listKeys } from '../keys/list-keys.ts'
import { readProject } from '../projects/read-project.ts'
import { createRevocation, type RevocationScope } from '../revocation/create-revocation.ts'
import { MANAGEMENT_PROJECT, type Scope } from '../scope.ts'
import { CallerFacts } from './caller-facts.ts'
import { changeManagementKey } from './change-management-key.ts'
import { createManagementKey } from './create-management-key.ts'
import { deleteManagementKey } from './delete-management-key.ts'
import { revokeManagementKey } from './revoke-management-key.ts'
import { rotateManagementKey } from './rotate-management-key.ts'

let installation: TestInstallation
let root: Scope & RevocationScope

beforeAll(async () => {
  installation = await openTestInstallation()
  root = (await openIssuing(installation)).scope
})
afterAll(() => installation.close())

interface KnownCaller {
  readonly id: string
  readonly actor: Actor
  readonly credential: string
  /** Does what is decided on the calling thread alone. */
  act(): Promise<unknown>
}

/** A caller that has acted before, by its text. */
async function knownCaller(more: object = {}): Promise<KnownCaller> {
  const input = { name: 'reader', verbs: ['keys:read', 'projects:read'], ...more }
  const { id, credential } = await createManagementKey(root, input)
  const actor: Actor = { kind: 'management-key', keyId: id, digest: sha256(credential) }
  const scope = { ...root, actor }
  await listKeys(scope)
  return { id, actor, credential, act: () => listKeys(scope) }
}

describe('what is known of a caller is not used any more, at the very next call, after its key', () => {
  test('was revoked (M1)', async () => {
    const { id, act } = await knownCaller()
    await revokeManagementKey(root, id, {})
    expect(await codeOf(act())).toBe('unauthenticated')
  })

  test('was revoked by its text (V6)', async () => {
    const { credential, act } = await knownCaller()
    await createRevocation(root, { credential })
    expect(await codeOf(act())).toBe('unauthenticated')
  })

  test('was deleted', async () => {
    const { id, act } = await knownCaller()
    await deleteManagementKey(root, id)
    expect(await codeOf(act())).toBe('unauthenticated')
  })

  test('was disabled, and enabled again', async () => {
    const { id, act } = await knownCaller()
    await changeManagementKey(root, id, { disabled: true })
    expect(await codeOf(act())).toBe('unauthenticated')
    await changeManagementKey(root, id, { disabled: false })
    await act()
  })

  test('expired: no change tells that', async () => {
    const { act } = await knownCaller({ expiresAt: inSeconds(1) })
    installation.clock.advance(1000)
    expect(await codeOf(act())).toBe('unauthenticated')
  })

  test('was given a later expiry, or an earlier one', async () => {
    const { id, act } = await knownCaller({ expiresAt: inSeconds(1) })
    await changeManagementKey(root, id, { expiresAt: inSeconds(60) })
    installation.clock.advance(1000)
    await act()
    await changeManagementKey(root, id, { expiresAt: inSeconds(1) })
    installation.clock.advance(1000)
    expect(await codeOf(act())).toBe('unauthenticated')
  })

  test('was rotated, once the overlap of the text that is presented has ended (V6)', async () => {
    const { id, act } = await knownCaller()
    await rotateManagementKey(root, id, { overlapSeconds: 60 })
    await act()
    installation.clock.advance(60_000)
    expect(await codeOf(act())).toBe('unauthenticated')
  })

  test('was rotated, and the former text was revoked: the key itself lives (V6)', async () => {
    const { id, credential, act } = await knownCaller()
    await rotateManagementKey(root, id, { overlapSeconds: 60 })
    await createRevocation(root, { credential })
    expect(await codeOf(act())).toBe('unauthenticated')
    await listKeys({ ...root, actor: managementKey(id) })
  })

  test('lost the verb, or got it back (M6)', async () => {
    const { id, act } = await knownCaller()
    await changeManagementKey(root, id, { verbs: ['roles:read'] })
    expect(await codeOf(act())).toBe('forbidden')
    await changeManagementKey(root, id, { verbs: ['keys:read'] })
    await act()
  })

  test('was revoked, for what is about projects themselves too', async () => {
    const { id, actor } = await knownCaller()
    const scope = { ...root, actor }
    await readProject(scope, 'default')
    await revokeManagementKey(root, id, {})
    expect(await codeOf(readProject(scope, 'default'))).toBe('unauthenticated')
  })
})

describe('callers that are kept', () => {
  /** Facts that no change is told to, as between a commit and the word of it. */
  function untoldFacts(writer: { alive: boolean }): CallerFacts {
    return new CallerFacts({ ...installation, writer: Object.assign(writer, { onChanges: () => () => {} }) })
  }

  test('are read once while no management key changes', async () => {
    const { actor } = await knownCaller()
    const { callers } = installation
    expect(await callers.read(actor)).toBe(await callers.read(actor))
  })

  test('are not used once the writer has died: a change may have gone untold', async () => {
    const { id, actor } = await knownCaller()
    const writer = { alive: true }
    const facts = untoldFacts(writer)
    await facts.read(actor)
    await revokeManagementKey(root, id, {})
    await facts.read(actor)
    writer.alive = false
    expect(await codeOf(facts.read(actor))).toBe('unauthenticated')
  })

  test('are not older than the head that was read before they were asked for (V2)', async () => {
    const { id, actor } = await knownCaller()
    const facts = untoldFacts({ alive: true })
    await facts.read(actor)
    await revokeManagementKey(root, id, {})
    const head = await readHead(installation.reader, MANAGEMENT_PROJECT)
    expect(await codeOf(facts.at(head).read(actor))).toBe('unauthenticated')
    // Whoever asks after that is told no less.
    expect(await codeOf(facts.read(actor))).toBe('unauthenticated')
  })
})

function inSeconds(seconds: number): string {
  return new Date(installation.clock.nowMs() + seconds * 1000).toISOString()
}
