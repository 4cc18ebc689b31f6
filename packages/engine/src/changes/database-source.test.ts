import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Change, comparePositions, type Sink, type Snapshot, Verifier } from '@claviger/verify'
import { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeOf, openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing } from '../../test/issuing.ts'
import type { ChangeListener } from '../commands/writer.ts'
import { createKey } from '../keys/create-key.ts'
import { revokeKey } from '../keys/revoke-key.ts'
import { createProject } from '../projects/create-project.ts'
import { putRole } from '../roles/put-role.ts'
import { openForReading } from '../storage/open-database.ts'
import type { Schema } from '../storage/schema.ts'
import { sqliteDialect } from '../storage/sqlite-dialect.ts'
import { DatabaseSource } from './database-source.ts'
import { readHead } from './read-head.ts'

let installation: TestInstallation
let issuing: Issuing

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
})
afterAll(() => installation.close())

/** A sink that keeps what it is given. */
class RecordingSink implements Sink {
  readonly snapshots: Snapshot[] = []
  readonly changes: Change[] = []
  /** What `apply` and `reset` fail with. */
  fault: Error | null = null
  resetFault: Error | null = null

  reset(snapshot: Snapshot): void {
    if (this.resetFault !== null) throw this.resetFault
    this.snapshots.push(snapshot)
  }

  apply(change: Change): void {
    if (this.fault !== null) throw this.fault
    this.changes.push(change)
  }

  /** The numbers of the changes that the snapshot does not hold. */
  numbersAfterSnapshot(): number[] {
    const at = this.snapshots.at(-1)?.position
    if (at === undefined) throw new Error('no snapshot')
    return this.changes
      .filter(({ position }) => comparePositions(position, at) > 0)
      .map(({ position }) => position.number)
  }
}

function put(name: string) {
  return putRole(issuing.scope, name, { permissions: [] })
}

describe('a source in the process of the writer', () => {
  test('tells every change before the call that made it returns (F1)', async () => {
    const source = new DatabaseSource(installation, 'default')
    const sink = new RecordingSink()
    await source.open(sink)
    await put('told')
    expect(sink.changes.at(-1)).toMatchObject({
      position: await readHead(installation.reader, 'default'),
      facts: [{ type: 'role', name: 'told', permissions: [] }],
    })
    source.close(sink)
    await put('untold')
    expect(JSON.stringify(sink.changes)).not.toContain('untold')
  })

  test('lets no change fall between the snapshot and the first one told, however they cross (F1)', async () => {
    const source = new DatabaseSource(installation, 'default')
    for (let round = 0; round < 30; round++) {
      const sink = new RecordingSink()
      const writes = Array.from({ length: 5 }, (_, i) => put(`crossing_${i}`))
      for (let turn = 0; turn < round % 6; turn++) await nextTurn()
      await source.open(sink)
      await Promise.all(writes)
      const head = await readHead(installation.reader, 'default')
      const from = sink.snapshots[0]?.position.number ?? Number.NaN
      const expected = Array.from({ length: head.number - from }, (_, i) => from + 1 + i)
      expect(sink.numbersAfterSnapshot()).toEqual(expected)
      source.close(sink)
    }
  })

  test('keeps a change that comes while the snapshot is read, and tells it after (F1)', async () => {
    let tell: ChangeListener | undefined
    const writer = {
      alive: true,
      onChanges(listener: ChangeListener) {
        tell = listener
        return () => undefined
      },
    }
    const { epoch, number } = await readHead(installation.reader, 'default')
    const change = { position: { epoch, number: number + 1 }, atMs: 0, commandId: 'cmd_1', facts: [] }
    const { sqlite } = openForReading(join(installation.folder, 'claviger.db'))
    const reader = new Kysely<Schema>({
      dialect: sqliteDialect(sqlite, { outsideTransaction: 'run' }),
      // The head has been read by then, and the rest not yet.
      log: ({ query }) => (query.sql.includes(' from "roles"') ? tell?.('default', change) : undefined),
    })
    const sink = new RecordingSink()
    await new DatabaseSource({ ...installation, reader, writer }, 'default').open(sink)
    expect(sink.snapshots[0]?.position).toEqual({ epoch, number })
    expect(sink.changes).toEqual([change])
    sqlite.close()
  })

  test('tells nothing of other projects (F3)', async () => {
    await createProject(issuing.scope, { name: 'apart', algorithm: 'Ed25519' })
    const sink = new RecordingSink()
    const source = new DatabaseSource(installation, (await installation.scope('apart')).projectId)
    await source.open(sink)
    await put('elsewhere')
    expect(sink.changes).toEqual([])
    expect(JSON.stringify(sink.snapshots)).not.toContain('told')
  })

  test('is not fresh once a sink has missed a change, and loads it anew when asked', async () => {
    const other = await openTestInstallation()
    const { scope } = await openIssuing(other)
    const source = new DatabaseSource(other, 'default')
    const [sound, faulty] = [new RecordingSink(), new RecordingSink()]
    await Promise.all([source.open(sound), source.open(faulty)])
    expect(source.freshAtMs()).toBeDefined()
    faulty.fault = new Error('no memory left')
    expect(await codeOf(putRole(scope, 'missed', { permissions: [] }))).toBe('internal')
    expect(source.freshAtMs()).toBeUndefined()
    expect(JSON.stringify(sound.changes)).toContain('missed')
    faulty.resetFault = new Error('no memory left yet')
    expect(await source.refresh()).toBe(false)
    faulty.fault = faulty.resetFault = null
    expect(await Promise.all([source.refresh(), source.refresh()])).toEqual([true, true])
    expect(JSON.stringify(faulty.snapshots.at(-1))).toContain('missed')
    expect(faulty.snapshots).toHaveLength(2)
    expect(sound.snapshots).toHaveLength(1)
    // The writer has told the log of it, and this installation tells of every entry.
    await expect(other.close()).rejects.toThrow('no memory left')
  })

  test('does not open for a project that there is not, and leaves nothing behind', async () => {
    const source = new DatabaseSource(installation, 'prj_none')
    expect(await codeOf(source.open(new RecordingSink()))).toBe('not_found')
    expect(source.freshAtMs()).toBeDefined()
  })

  test('has the time of the engine', () => {
    expect(new DatabaseSource(installation, 'default').nowMs()).toBe(installation.clock.nowMs())
  })
})

describe('a verifier on it', () => {
  test('refuses a key that was revoked while its fill was under way (F2)', async () => {
    for (let round = 0; round < 20; round++) {
      const { id, credential } = await createKey(issuing.scope, { name: 'filled' })
      const revocation = revokeKey(issuing.scope, id)
      for (let turn = 0; turn < round % 5; turn++) await nextTurn()
      await Promise.all([issuing.verifier.verify({ credential }), revocation])
      const cached = issuing.verifier.verifyCached({ credential })
      expect([undefined, 'revoked']).toContain(cached?.ok === false ? cached.code : cached)
      expect(await issuing.verifier.verify({ credential })).toMatchObject({ ok: false, code: 'revoked' })
    }
  })

  test('finds a key that was created after it was found absent (F1)', async () => {
    const { credential } = await createKey(issuing.scope, { name: 'first' })
    const source = new DatabaseSource(installation, 'default')
    const verifier = await Verifier.open({ source, audience: AUDIENCE })
    expect(await verifier.verify({ credential })).toMatchObject({ ok: true })
    const created = createKey(issuing.scope, { name: 'second' })
    expect(await verifier.verify({ credential: (await created).credential })).toMatchObject({ ok: true })
    verifier.close()
  })

  test('answers nothing more from what it knows once the writer has died', async () => {
    const other = await openTestInstallation()
    const { scope, verifier } = await openIssuing(other)
    const { credential } = await createKey(scope, { name: 'known' })
    expect(await verifier.verify({ credential })).toMatchObject({ ok: true })
    await other.writer.close()
    expect(verifier.verifyCached({ credential })).toBeUndefined()
    expect(await verifier.verify({ credential })).toMatchObject({ ok: false, code: 'unavailable' })
    await other.close()
  })
})
