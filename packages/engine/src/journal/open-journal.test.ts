import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { type EnginePlace, makeEnginePlace } from '../../test/engine-place.ts'
import { AUDIENCE } from '../../test/issuing.ts'
import type { Engine } from '../engine.ts'

function journalBytes({ journal }: EnginePlace): number {
  return readdirSync(journal).reduce((sum, name) => sum + statSync(join(journal, name)).size, 0)
}

function createKey(engine: Engine) {
  return engine.project('default').keys.create({ name: 'k', permissions: ['documents:read'] })
}

async function codeOf(engine: Engine, credential: string): Promise<string> {
  const verdict = await engine.project('default').verify({ credential })
  return verdict.ok ? 'ok' : verdict.code
}

test('B1: whatever takes something away is in the journal before its call returns, and what gives is not', async () => {
  const place = makeEnginePlace()
  const engine = await place.open()
  const project = engine.project('default')
  const managed = await project.managementKeys.create({
    name: 'm',
    preset: 'backend',
    grants: ['documents:*'],
  })
  const [key, other, third] = [await createKey(engine), await createKey(engine), await createKey(engine)]
  const session = await project.sessions.create({ subject: 'user', audience: AUDIENCE })
  await project.tokens.mint({ subject: 'user', audience: AUDIENCE })
  await project.sessions.refresh({ refreshToken: session.refreshToken })
  expect(readdirSync(place.journal)).toEqual(['00000001.journal'])
  const given = journalBytes(place)
  await createKey(engine)
  expect(journalBytes(place)).toBe(given)

  const ban = await project.revocations.create({ subject: 'x', ban: true })
  const taking: Record<string, () => Promise<unknown>> = {
    'revoke a key': () => project.keys.revoke(key.id),
    'narrow a key': () => project.keys.change(other.id, { permissions: [] }),
    'disable a key': () => project.keys.change(other.id, { disabled: true }),
    'rotate a key': () => project.keys.rotate(other.id, { overlapSeconds: 0 }),
    'delete a key': () => project.keys.delete(third.id),
    'revoke a subject': () => project.revocations.create({ subject: 'user' }),
    'ban a subject': () => project.revocations.create({ subject: 'user', ban: true }),
    'lift a ban': () => project.revocations.lift(ban.id),
    'revoke everything': () => project.revocations.create({ everything: true, only: 'tokens' }),
    'revoke a token': () => project.revocations.create({ tokenId: 'tok' }),
    'end a session': () => project.sessions.revoke(session.id),
    'put a role': () => project.roles.put('reader', { permissions: ['documents:read'] }),
    'delete a role': () => project.roles.delete('reader'),
    'bound a subject': () => project.subjects.put('user', { permissions: [] }),
    'disable a subject': () => project.subjects.patch('user', { disabled: true }),
    'delete a subject': () => project.subjects.delete('user'),
    'narrow a management key': () => project.managementKeys.change(managed.id, { grants: [] }),
    'revoke a management key': () => project.managementKeys.revoke(managed.id),
    'reset the root key': () => engine.resetRootKey(),
    'retire a signing key': async () => {
      const { items } = await project.signingKeys.list()
      await project.revocations.create({ signingKeyId: items[0]?.id })
    },
  }
  for (const [name, take] of Object.entries(taking)) {
    const before = journalBytes(place)
    await take()
    expect(journalBytes(place), name).toBeGreaterThan(before)
  }
  const all = readdirSync(place.journal).map((name) => readFileSync(join(place.journal, name), 'latin1'))
  expect(all.join('')).not.toContain(other.credential.slice(-36))
})

test('B1: a crash between the journal and the commit is repeated at the next start, whole', async () => {
  const place = makeEnginePlace()
  const key = await place.within(createKey)
  const putBack = place.copyDatabase()
  const rotated = await place.within((engine) =>
    engine.project('default').keys.rotate(key.id, { overlapSeconds: 0 }),
  )
  putBack()
  await place.within(async (engine) => {
    expect(await codeOf(engine, key.credential)).toBe('rotated_out')
    expect(await codeOf(engine, rotated.credential)).toBe('ok')
    const { items } = await engine.project('default').audit.list()
    expect(items.filter(({ action }) => action === 'key.rotate')).toHaveLength(1)
    await engine.project('default').keys.revoke(key.id)
  })
  await place.within(async (engine) => expect(await codeOf(engine, rotated.credential)).toBe('revoked'))
  expect(place.problems).toEqual([])
})

test('B1: so is a commit that wrote the first row of what triggers count', async () => {
  const place = makeEnginePlace()
  await place.within(createKey)
  const putBack = place.copyDatabase()
  await place.within((engine) => engine.project('default').subjects.put('user', { permissions: [] }))
  putBack()
  await place.within(async (engine) => {
    const { items } = await engine.project('default').subjects.list()
    expect(items).toMatchObject([{ subject: 'user', permissions: [] }])
  })
  const sqlite = new DatabaseSync(place.database)
  const held = sqlite.prepare("SELECT held FROM tallies WHERE owner = 'default' AND kind = 'subjects'").all()
  sqlite.close()
  expect(held).toEqual([{ held: 1 }])
  expect(place.problems).toEqual([])
})

test('B1: an older database that was put back by hand refuses to start, and says what to run', async () => {
  const place = makeEnginePlace()
  const [first, second] = await place.within(async (engine) => [
    await createKey(engine),
    await createKey(engine),
  ])
  const putBack = place.copyDatabase()
  await place.within(async (engine) => {
    for (const key of [first, second]) await engine.project('default').keys.revoke(key?.id ?? '')
  })
  putBack()
  await expect(place.open()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(
      `put back by hand, and what was revoked since would come back. Run: claviger restore --data ${place.folder}`,
    ),
  })
})

test('B1: a journal that was lost or cut is said, begun anew, and takes nothing from the database', async () => {
  const place = makeEnginePlace()
  const key = await place.within(async (engine) => {
    const created = await createKey(engine)
    await engine.project('default').keys.revoke(created.id)
    return created
  })
  const file = join(place.journal, '00000001.journal')
  writeFileSync(file, readFileSync(file).subarray(0, -20))
  await place.within(async (engine) => expect(await codeOf(engine, key.credential)).toBe('revoked'))
  expect(place.problems.splice(0)).toEqual([expect.stringContaining('The journal was lost or cut.')])
  expect(readdirSync(place.journal)).toHaveLength(2)

  rmSync(place.journal, { recursive: true })
  await place.within(async (engine) => expect(await codeOf(engine, key.credential)).toBe('revoked'))
  expect(place.problems).toEqual([expect.stringContaining('The journal was lost or cut.')])
})

test("another installation's journal refuses the start", async () => {
  const [place, other] = [makeEnginePlace(), makeEnginePlace()]
  await place.within(createKey)
  await other.within(createKey)
  rmSync(place.journal, { recursive: true })
  cpSync(other.journal, place.journal, { recursive: true })
  await expect(place.open()).rejects.toThrow('written under another master key')
})

test('a start that dies before its database is named leaves no journal behind', async () => {
  const place = makeEnginePlace()
  mkdirSync(place.folder)
  await expect(place.open({ database: `sqlite:${place.folder}` })).rejects.toThrow()
  expect(existsSync(place.journal)).toBe(false)
  await place.within(createKey)
})
