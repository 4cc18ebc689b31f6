import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { makeEnginePlace } from '../../test/engine-place.ts'
import { createBackup } from '../backup/create-backup.ts'
import { systemClock } from '../clock.ts'

const FIXTURES = join(import.meta.dirname, '../../test/fixtures')
/** Its texts, and the master key that it was made with. */
const KNOWN = JSON.parse(readFileSync(join(FIXTURES, 'version-4.json'), 'utf8'))

test('the data of version 4 opens, and its keys, sessions and revocations are what they were', async () => {
  const place = makeEnginePlace()
  mkdirSync(place.folder, { mode: 0o700 })
  const made = new DatabaseSync(place.database)
  made.exec(readFileSync(join(FIXTURES, 'version-4.sql'), 'utf8'))
  made.close()
  const options = { masterKey: KNOWN.masterKey, clock: systemClock(), acceptClock: true }
  const early = createBackup({
    database: `sqlite:${place.database}`,
    file: join(place.folder, 'b'),
    ...options,
  })
  await expect(early).rejects.toThrow('of an older version')

  const engine = await place.open(options)
  const project = engine.project('default')
  const code = async (credential: string): Promise<string> => {
    const query = { credential, require: { permissions: 'documents:read' } }
    const verdict = await project.verify(query)
    return verdict.ok ? 'ok' : verdict.code
  }
  expect(await code(KNOWN.liveKey)).toBe('ok')
  expect(await code(KNOWN.rotatedKey)).toBe('ok')
  expect(await code(KNOWN.rotatedOutKey)).toBe('rotated_out')
  expect(await code(KNOWN.revokedKey)).toBe('revoked')
  expect(await code(KNOWN.disabledKey)).toBe('disabled')
  expect(await engine.authenticate(KNOWN.rootKey)).toMatchObject({ ok: true, project: null })
  expect((await project.sessions.list()).items).toMatchObject([{ subject: 'acme' }])
  expect(await project.audiences.read('https://api.example.com')).toMatchObject({ ttlSeconds: 3600 })
  const { items } = await project.keys.list()
  await project.keys.revoke(items.find(({ name }) => name === 'live')?.id ?? '')
  expect(await code(KNOWN.liveKey)).toBe('revoked')
  expect(place.problems).toEqual([])
})
