import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Manifest, openOfflineAudit, restoreBackup, systemClock, systemRandom } from '@claviger/engine'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startServer } from './child-server.ts'

const CLIENTS = 6
const IMPORTED_AT_ONCE = 100
const BEFORE_MS = 800

let place: string

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'claviger-backup-'))
})

afterEach(() => rmSync(place, { recursive: true, force: true }))

/** In another process, as a person would: so the load goes on meanwhile. */
async function takeBackup(folder: string, file: string): Promise<Manifest> {
  const script = new URL('./take-backup.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [script, folder, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'close')])
  expect(exitCode).toBe(0)
  return JSON.parse(output)
}

test('a backup under heavy creation restores to all that was acknowledged before it began, and to nothing half-made (B1)', async () => {
  const folder = join(place, 'data')
  mkdirSync(folder, { mode: 0o700 })
  const server = await startServer(folder)
  const shape = { prefix: 'old_', alphabet: '0-9a-f', length: 40, hashEncoding: 'hex' }
  expect((await server.call('PUT', '/v1/key-shapes/old', shape)).status).toBe(200)
  const created: string[] = []
  let [imports, isRunning] = [0, true]

  const creator = async (): Promise<void> => {
    while (isRunning) {
      const { status, body } = await server.call('POST', '/v1/keys', { name: 'kept', permissions: ['a:b'] })
      expect(status).toBe(201)
      created.push(body.credential)
    }
  }
  const importer = async (): Promise<void> => {
    while (isRunning) {
      const keys = Array.from({ length: IMPORTED_AT_ONCE }, (_, i) => ({
        hash: `${imports.toString(16).padStart(8, '0')}${i.toString(16).padStart(56, '0')}`,
      }))
      const { status } = await server.call('POST', '/v1/keys/import', { shape: 'old', keys })
      expect(status).toBe(200)
      imports += 1
    }
  }
  const load = [importer(), ...Array.from({ length: CLIENTS }, creator)]
  await sleep(BEFORE_MS)
  const before = { created: created.length, imports }
  const file = join(place, 'backup')
  const manifest = await takeBackup(folder, file)
  const after = { created: created.length, imports }
  isRunning = false
  await Promise.all(load)
  await server.kill()
  expect(before.created).toBeGreaterThan(20)
  expect(before.imports).toBeGreaterThan(0)
  expect(after.created).toBeGreaterThan(before.created)

  const restored = join(place, 'restored')
  mkdirSync(restored, { mode: 0o700 })
  copyFileSync(join(folder, 'master-key'), join(restored, 'master-key'))
  copyFileSync(join(folder, 'root-key'), join(restored, 'root-key'))
  const database = `sqlite:${join(restored, 'claviger.db')}`
  const report = await restoreBackup({
    database,
    backup: file,
    journal: join(folder, 'journal'),
    clock: systemClock(),
    random: systemRandom(),
  })
  expect(report).toMatchObject({ suspended: false, lostSince: null })

  const sqlite = new DatabaseSync(join(restored, 'claviger.db'), { readOnly: true })
  const read = (sql: string) => sqlite.prepare(sql).all().map(Object.values)
  expect(read('PRAGMA integrity_check')).toEqual([['ok']])
  expect(read('PRAGMA foreign_key_check')).toEqual([])
  const none = (sql: string) => expect(read(sql), sql).toEqual([])
  none('SELECT id FROM keys WHERE (SELECT count(*) FROM key_secrets WHERE key_number = keys.number) <> 1')
  none('SELECT digest FROM key_secrets WHERE key_number NOT IN (SELECT number FROM keys)')
  none(
    `SELECT id FROM keys WHERE name = 'kept' AND id NOT IN (SELECT target FROM audit WHERE action = 'key.create')`,
  )
  none(`SELECT target FROM audit WHERE action = 'key.create' AND target NOT IN (SELECT id FROM keys)`)
  const [[imported = 0] = []] = read('SELECT count(*) FROM key_secrets WHERE shape IS NOT NULL')
  expect(Number(imported) % IMPORTED_AT_ONCE).toBe(0)
  expect(Number(imported) / IMPORTED_AT_ONCE).toBeGreaterThanOrEqual(before.imports)
  for (const { name, epoch, number } of manifest.projects) {
    const positions = read(
      `SELECT count(*), coalesce(max(number), 0) FROM changes WHERE epoch = '${epoch}'
        AND project_id = (SELECT id FROM projects WHERE name = '${name}')`,
    )
    expect(positions, name).toEqual([[number, number]])
  }
  sqlite.close()
  const audit = await openOfflineAudit({ database })
  for (const verification of await audit.verify({})) expect(verification.fault).toBeNull()
  audit.close()

  const again = await startServer(restored)
  const verdicts = await Promise.all(created.map((credential) => again.verdict(credential)))
  await again.stop()
  expect(new Set(verdicts.slice(0, before.created))).toEqual(new Set(['ok']))
  expect(verdicts.slice(after.created).filter((verdict) => verdict === 'ok')).toEqual([])
  for (const verdict of verdicts) expect(['ok', 'unknown']).toContain(verdict)
}, 60_000)
