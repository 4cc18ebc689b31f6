import {
  copyFileSync,
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
import { expect, test, vi } from 'vitest'
import { type EnginePlace, makeEnginePlace } from '../../test/engine-place.ts'
import { AUDIENCE } from '../../test/issuing.ts'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import type { Engine } from '../engine.ts'
import { systemRandom } from '../random.ts'
import { createBackup } from './create-backup.ts'
import { type RestoreOptions, type RestoreReport, restoreBackup } from './restore-backup.ts'

// Each opens several engines, one after another.
vi.setConfig({ testTimeout: 90_000 })

function backUp(place: EnginePlace, file = join(temporaryFolder(), 'backup')): Promise<string> {
  return createBackup({ database: `sqlite:${place.database}`, file, clock: place.clock }).then(() => file)
}

function restore(place: EnginePlace, options: Partial<RestoreOptions> = {}): Promise<RestoreReport> {
  return restoreBackup({
    database: `sqlite:${place.database}`,
    clock: place.clock,
    random: systemRandom(),
    ...options,
  })
}

async function codeOf(engine: Engine, credential: string): Promise<string> {
  const verdict = await engine.project('default').verify({ credential, require: { audience: 'any' } })
  return verdict.ok ? 'ok' : verdict.code
}

async function codesOf(engine: Engine, credentials: Readonly<Record<string, string>>) {
  const codes: Record<string, string> = {}
  for (const [name, text] of Object.entries(credentials)) codes[name] = await codeOf(engine, text)
  return codes
}

/** A place whose keys are all alive in the backup; afterwards, each but one had something taken away. */
function takeAwayAfterBackup(place: EnginePlace) {
  return place.within((engine) => takeAway(place, engine))
}

async function takeAway(place: EnginePlace, engine: Engine) {
  const project = engine.project('default')
  await project.roles.put('reader', { permissions: ['documents:read'] })
  const create = (name: string, subject?: string) =>
    project.keys.create({ name, roles: ['reader'], ...(subject === undefined ? {} : { subject }) })
  const keys = {
    untouched: await create('untouched'),
    revoked: await create('revoked'),
    rotated: await create('rotated'),
    disabled: await create('disabled'),
    deleted: await create('deleted'),
    banned: await create('banned', 'banned'),
    ofDisabledSubject: await create('of a disabled subject', 'blocked'),
    narrowed: await create('narrowed'),
  }
  const management = await project.managementKeys.create({ name: 'm', preset: 'backend', grants: ['*:*'] })
  const token = await project.tokens.mint({ subject: 'user', audience: AUDIENCE, roles: ['reader'] })
  const session = await project.sessions.create({ subject: 'user', audience: AUDIENCE, roles: ['reader'] })
  const texts: Record<string, string> = { token: token.credential, session: session.accessToken }
  for (const [name, key] of Object.entries(keys)) texts[name] = key.credential
  const file = await backUp(place)

  place.clock.advance(60_000)
  await project.keys.revoke(keys.revoked.id)
  const rotated = await project.keys.rotate(keys.rotated.id, { overlapSeconds: 0 })
  await project.keys.change(keys.disabled.id, { disabled: true })
  await project.keys.delete(keys.deleted.id)
  await project.revocations.create({ subject: 'banned', ban: true })
  await project.subjects.put('blocked', { disabled: true })
  await project.keys.change(keys.narrowed.id, { roles: [] })
  await project.managementKeys.revoke(management.id)
  const later = await project.tokens.mint({ subject: 'user', audience: AUDIENCE })
  const createdLater = await create('created later')
  await project.keys.change(createdLater.id, { name: 'renamed' })
  texts.rotatedTo = rotated.credential
  texts.laterToken = later.credential
  return {
    file,
    texts,
    management: management.credential,
    refreshToken: session.refreshToken,
    rootKey: engine.createdRootKey?.reveal() ?? '',
    keys,
  }
}

const KNOWN = {
  untouched: 'ok',
  revoked: 'revoked',
  rotated: 'rotated_out',
  rotatedTo: 'ok',
  disabled: 'disabled',
  deleted: 'revoked',
  banned: 'revoked',
  ofDisabledSubject: 'disabled',
  narrowed: 'ok',
  token: 'unknown',
  session: 'unknown',
  laterToken: 'unknown',
}

test('B1: nothing revoked comes back: with its journal a restored backup knows all that was taken away since', async () => {
  const place = makeEnginePlace()
  const before = await takeAwayAfterBackup(place)
  const report = await restore(place, { backup: before.file })
  expect(report).toMatchObject({ lostSince: null, suspended: false, rootKey: null })
  await place.within(async (engine) => {
    const project = engine.project('default')
    expect(await codesOf(engine, before.texts)).toEqual(KNOWN)
    const query = { credential: before.texts.narrowed ?? '', require: { permissions: 'documents:read' } }
    expect(await project.verify(query)).toMatchObject({ code: 'insufficient_permissions' })
    expect(await engine.authenticate(before.management)).toMatchObject({ ok: false, code: 'revoked' })
    expect(await engine.authenticate(before.rootKey)).toMatchObject({ ok: true })
    await expect(project.sessions.refresh({ refreshToken: before.refreshToken })).rejects.toMatchObject({
      code: 'session_ended',
    })
    const token = await project.tokens.mint({ subject: 'user', audience: AUDIENCE })
    expect(await codeOf(engine, token.credential)).toBe('ok')
    const { items } = await engine.project('claviger').audit.list()
    expect(items[0]).toMatchObject({ action: 'installation.restore', actor: 'installation' })
  })
  expect(place.problems).toEqual([])
})

test('E1, E3: a restore begins a new epoch in every project, and a pos of one it never had is older than every rule', async () => {
  const place = makeEnginePlace()
  const before = await takeAwayAfterBackup(place)
  await restore(place, { backup: before.file })
  await restore(place, { backup: before.file })
  await place.within(async (engine) => {
    const created = await engine.project('default').keys.create({ name: 'after' })
    const receipt = await engine.project('default').revocations.create({ subject: 'someone' })
    // For one longest lease nobody knows what was granted before.
    const verifiers = ['what was granted before the restore']
    expect(receipt).toMatchObject({
      position: expect.stringMatching(/^2-\w{8}:\d+$/),
      effective: false,
      verifiers,
    })
    expect(await codeOf(engine, created.credential)).toBe('ok')
  })
  const database = new DatabaseSync(place.database, { readOnly: true })
  const rows = database.prepare('SELECT project_id, epoch FROM epochs ORDER BY project_id, epoch').all()
  database.close()
  expect(rows.map(({ project_id, epoch }) => `${project_id} ${String(epoch)[0]}`)).toEqual([
    'claviger 1',
    'claviger 2',
    'default 1',
    'default 2',
  ])
})

const LOSSES: Record<string, (place: EnginePlace) => void> = {
  'without its journal': ({ journal }) => rmSync(journal, { recursive: true }),
  'with a journal that was cut short': ({ journal }) => {
    const file = join(journal, '00000001.journal')
    writeFileSync(file, readFileSync(file).subarray(0, -50))
  },
  'with a journal cut between two records, beside its database': ({ journal }) => {
    const file = join(journal, '00000001.journal')
    const whole = readFileSync(file)
    writeFileSync(
      file,
      Buffer.concat([whole.subarray(0, whole.lastIndexOf('CJ1\n', -9)), whole.subarray(-8)]),
    )
  },
  'with a journal cut, its database lost': ({ journal, database }) => {
    rmSync(database)
    const file = join(journal, '00000001.journal')
    writeFileSync(file, readFileSync(file).subarray(0, -8))
  },
}

test.each(Object.entries(LOSSES))(
  'B1: %s a restored backup lets no former key pass until the loss is accepted by its time',
  async (_name, lose) => {
    const place = makeEnginePlace()
    const before = await takeAwayAfterBackup(place)
    lose(place)
    const report = await restore(place, { backup: before.file })
    expect(report).toMatchObject({ suspended: true, lostSince: expect.any(String) })
    const root = report.rootKey?.reveal() ?? ''
    await place.within(async (engine) => {
      const codes = await codesOf(engine, before.texts)
      expect(Object.values(codes)).not.toContain('ok')
      expect(codes.untouched).toBe('disabled')
      const verdict = await engine.project('default').verify({ credential: before.texts.untouched ?? '' })
      expect(verdict).toMatchObject({ detail: expect.stringContaining('restored from a backup') })
      expect(await engine.project('default').keys.read(before.keys.untouched.id)).toMatchObject({
        status: 'disabled',
      })
      expect(await engine.authenticate(before.management)).toMatchObject({ ok: false })
      expect(await engine.authenticate(before.rootKey)).toMatchObject({ ok: false, code: 'revoked' })
      expect(await engine.authenticate(root)).toMatchObject({ ok: true })
      const created = await engine.project('default').keys.create({ name: 'after' })
      expect(await codeOf(engine, created.credential)).toBe('ok')
    })
    expect(place.problems).toEqual([expect.stringContaining('Keys from before the restore are suspended.')])

    await expect(restore(place, { acceptLossSince: '2020-01-01T00:00:00Z' })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(String(report.lostSince)),
    })
    const accepted = await restore(place, { acceptLossSince: report.lostSince ?? '' })
    expect(accepted).toMatchObject({ suspended: false, rootKey: null })
    await place.within(async (engine) => {
      const codes = await codesOf(engine, before.texts)
      expect(codes.untouched).toBe('ok')
      expect([codes.token, codes.session, codes.laterToken]).toEqual(['unknown', 'unknown', 'unknown'])
      expect(await engine.authenticate(before.rootKey)).toMatchObject({ ok: false, code: 'revoked' })
      expect(await engine.authenticate(root)).toMatchObject({ ok: true })
    })
  },
)

test('B1: a journal that turns up after a restore without it is replayed, and the keys pass again', async () => {
  const place = makeEnginePlace()
  const before = await takeAwayAfterBackup(place)
  const brought = join(temporaryFolder(), 'journal')
  cpSync(place.journal, brought, { recursive: true })
  rmSync(place.journal, { recursive: true })
  await restore(place, { backup: before.file })
  const during = await place.within(async (engine) => {
    const project = engine.project('default')
    const created = await project.keys.create({ name: 'during' })
    await project.roles.put('reader', { permissions: [] })
    return created
  })
  expect(await restore(place, { journal: brought })).toMatchObject({ lostSince: null, suspended: false })
  await place.within(async (engine) => {
    expect(await codesOf(engine, before.texts)).toEqual(KNOWN)
    expect(await codeOf(engine, during.credential)).toBe('ok')
    // What was taken away during the suspension is not given back by what the journal has from before.
    const query = { credential: before.texts.untouched ?? '', require: { permissions: 'documents:read' } }
    expect(await engine.project('default').verify(query)).toMatchObject({ code: 'insufficient_permissions' })
  })
})

test('B1: a database put back by hand is restored in its place, by the journal beside it', async () => {
  const place = makeEnginePlace()
  const key = await place.within((engine) => engine.project('default').keys.create({ name: 'k' }))
  const other = await place.within((engine) => engine.project('default').keys.create({ name: 'other' }))
  const putBack = place.copyDatabase()
  await place.within(async (engine) => {
    await engine.project('default').keys.change(key.id, { disabled: true })
    await engine.project('default').keys.revoke(key.id)
  })
  putBack()
  await expect(place.open()).rejects.toThrow('put back by hand')
  expect(await restore(place)).toMatchObject({ replayed: 2, lostSince: null, suspended: false })
  await place.within(async (engine) => {
    expect(await codesOf(engine, { key: key.credential, other: other.credential })).toEqual({
      key: 'revoked',
      other: 'ok',
    })
  })
  // A second time the database is of a former history, which its journal has left behind.
  putBack()
  await expect(place.open()).rejects.toThrow('put back by hand')
  expect(await restore(place)).toMatchObject({ lostSince: null })
  await place.within(async (engine) => expect(await codeOf(engine, key.credential)).toBe('revoked'))
})

test('B1: what was taken away after a first restore is known to a second one of the same backup', async () => {
  const place = makeEnginePlace()
  const { first, second, file } = await place.within(async (engine) => ({
    first: await engine.project('default').keys.create({ name: 'first' }),
    second: await engine.project('default').keys.create({ name: 'second' }),
    file: await backUp(place),
  }))
  await place.within((engine) => engine.project('default').keys.revoke(first.id))
  await restore(place, { backup: file })
  await place.within((engine) => engine.project('default').keys.revoke(second.id))
  expect(await restore(place, { backup: file })).toMatchObject({ replayed: 2, lostSince: null })
  await place.within(async (engine) => {
    expect(await codesOf(engine, { first: first.credential, second: second.credential })).toEqual({
      first: 'revoked',
      second: 'revoked',
    })
  })
})

test('a backup is for its owner alone, names its heads, and leaves the master key out', async () => {
  const place = makeEnginePlace()
  const file = join(temporaryFolder(), 'backup')
  await place.within(async (engine) => {
    await engine.project('default').keys.create({ name: 'k' })
    const manifest = await createBackup({ database: `sqlite:${place.database}`, file, clock: place.clock })
    expect(manifest.projects.map(({ name, number }) => [name, number])).toEqual([
      ['claviger', 2],
      ['default', 3],
    ])
  })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const masterKey = readFileSync(join(place.folder, 'master-key'), 'utf8').trim()
  const content = readFileSync(file)
  expect(content.includes(masterKey)).toBe(false)
  expect(content.includes(Buffer.from(masterKey, 'base64url'))).toBe(false)
  await expect(backUp(place, file)).rejects.toMatchObject({ code: 'already_exists' })
})

test('a backup that is damaged, cut, altered or foreign is refused, and what was there serves on', async () => {
  const place = makeEnginePlace()
  const key = await place.within((engine) => engine.project('default').keys.create({ name: 'k' }))
  const whole = readFileSync(await backUp(place))
  const bad = join(temporaryFolder(), 'bad')
  const refusedAs = async (content: Buffer): Promise<string> => {
    writeFileSync(bad, content)
    return restore(place, { backup: bad }).then(
      () => 'restored',
      (error) => error.message,
    )
  }
  for (const cut of [0, 10, 50, 5000, whole.length - 1]) {
    expect(await refusedAs(whole.subarray(0, cut))).toContain('no backup of Claviger, or was cut short')
  }
  const flip = (at: number): Buffer => {
    const changed = Buffer.from(whole)
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
    return changed
  }
  expect(await refusedAs(flip(9000))).toContain('is damaged')
  expect(await refusedAs(flip(whole.length - 60))).toMatch(/altered|damaged|another master key/)
  expect(await refusedAs(Buffer.concat([Buffer.alloc(8), whole]))).toContain('is damaged')
  expect(await refusedAs(readFileSync(place.database))).toContain('no backup')

  const other = makeEnginePlace()
  await other.within((engine) => engine.project('default').keys.create({ name: 'k' }))
  copyFileSync(await backUp(other), bad)
  await expect(restore(place, { backup: bad })).rejects.toThrow('another master key')
  expect(existsSync(`${place.database}.restoring`)).toBe(false)
  await place.within(async (engine) => expect(await codeOf(engine, key.credential)).toBe('ok'))
})

test('a backup is restored into an empty folder, once its master key is there', async () => {
  const place = makeEnginePlace()
  const before = await takeAwayAfterBackup(place)
  const other = makeEnginePlace()
  mkdirSync(other.folder)
  other.clock.set(place.clock.nowMs())
  await expect(restore(other, { backup: before.file })).rejects.toThrow('needs the master key')
  copyFileSync(join(place.folder, 'master-key'), join(other.folder, 'master-key'))
  const journal = place.journal
  expect(await restore(other, { backup: before.file, journal })).toMatchObject({ suspended: false })
  await other.within(async (engine) => expect(await codesOf(engine, before.texts)).toEqual(KNOWN))
})

test('no restore while a server has the folder open', async () => {
  const place = makeEnginePlace()
  await place.within(async () => {
    const file = await backUp(place)
    await expect(restore(place, { backup: file })).rejects.toThrow('is in use by process')
  })
  expect(readdirSync(place.folder)).not.toContain('claviger.db.restoring')
})
