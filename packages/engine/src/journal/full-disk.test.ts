import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeEnginePlace } from '../../test/engine-place.ts'
import { createBackup } from '../backup/create-backup.ts'

/** Makes the folder a disk of its own; false where this process may not mount one. */
function mount(folder: string): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'claviger', folder])
  if (status === 0) onTestFinished(() => void spawnSync('umount', ['-l', folder]))
  return status === 0
}

/** Takes what is left of the disk. */
function fill(file: string): void {
  try {
    writeFileSync(file, Buffer.alloc(1024 * 1024))
  } catch {
    // That is what it is for: the file holds as much as there was.
  }
}

test('B1: a full disk under the journal takes nothing away and says so, gives on, and takes away again with room', async () => {
  const place = makeEnginePlace()
  if (!mount(place.journal)) {
    console.log('A full disk is not tested: mounting is not permitted here.')
    return
  }
  const credentials = await place.within(async (engine) => {
    const { keys } = engine.project('default')
    const verdict = async (credential: string): Promise<boolean> =>
      (await engine.project('default').verify({ credential })).ok
    const [first, second] = [await keys.create({ name: 'first' }), await keys.create({ name: 'second' })]
    const filler = join(place.journal, 'filler')
    fill(filler)
    const revoke = (): Promise<unknown> => keys.revoke(first.id)
    const full = { code: 'storage_full', message: expect.stringContaining('Nothing was changed') }
    // The file's last page has some room yet.
    const outcome = (): Promise<string> =>
      engine
        .project('default')
        .revocations.create({ subject: 'nobody' })
        .then(
          () => 'revoked',
          (error) => error.code,
        )
    let rounds = 0
    while ((await outcome()) === 'revoked') expect(rounds++).toBeLessThan(20)
    await Promise.all(Array.from({ length: 4 }, () => expect(revoke()).rejects.toMatchObject(full)))
    expect(await verdict(first.credential)).toBe(true)
    const created = await keys.create({ name: 'while it is full' })
    expect(await verdict(created.credential)).toBe(true)
    rmSync(filler)
    await keys.revoke(first.id)
    expect(await verdict(first.credential)).toBe(false)
    return { first: first.credential, second: second.credential, created: created.credential }
  })
  place.problems.splice(0)
  await place.within(async (engine) => {
    for (const [name, credential] of Object.entries(credentials)) {
      const { ok } = await engine.project('default').verify({ credential })
      expect(ok, name).toBe(name !== 'first')
    }
  })
  expect(place.problems).toEqual([])
}, 60_000)

test('a backup onto a full disk leaves nothing behind, and the server serves on', async () => {
  const place = makeEnginePlace()
  const target = join(place.folder, 'backups')
  if (!mount(target)) {
    console.log('A full disk is not tested: mounting is not permitted here.')
    return
  }
  await place.within(async (engine) => {
    const file = join(target, 'backup')
    const backup = createBackup({ database: `sqlite:${place.database}`, file, clock: place.clock })
    await expect(backup).rejects.toMatchObject({ code: 'storage_full' })
    expect(readdirSync(target)).toEqual([])
    const key = await engine.project('default').keys.create({ name: 'after' })
    expect(await engine.project('default').verify(key)).toMatchObject({ ok: true })
  })
}, 60_000)
