import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Check, Level } from '../src/doctor/check.ts'
import { checkHistory, type HistoryPlace } from '../src/doctor/check-history.ts'
import { checkNode, judgeFreeBytes, judgeSync } from '../src/doctor/check-machine.ts'
import { makeFolder, type Place, type RunOptions, runIn, startServer } from './command-line.ts'

let place: Place
let data: string

beforeAll(async () => {
  place = await startServer()
  data = join(place.folder, 'claviger-data')
})
afterAll(() => place.remove())

async function look(
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<{ exitCode: number | null; levelOf(name: string): Level | undefined; text: string }> {
  const { exitCode, stdout, stderr } = await runIn(place.folder, ['doctor', '--json', ...args], options)
  if (stdout === '') throw new Error(stderr)
  const checks: readonly Check[] = JSON.parse(stdout).checks
  const levelOf = (name: string) => {
    const levels = checks.filter((check) => check.name === name).map(({ level }) => level)
    return levels.find((level) => level !== 'ok') ?? levels[0]
  }
  return { exitCode, levelOf, text: stdout }
}

/** The checks of what tells of the past, by their names, without a process of their own. */
async function lookBack(options: Partial<HistoryPlace> = {}): Promise<Readonly<Record<string, Check>>> {
  const database = `sqlite:${join(data, 'claviger.db')}`
  const place = { database, masterKey: undefined, backup: undefined, nowMs: Date.now(), ...options }
  return Object.fromEntries((await checkHistory(place)).map((check) => [check.name, check]))
}

function change(sql: string): void {
  const database = new DatabaseSync(join(data, 'claviger.db'))
  database.exec(sql)
  database.close()
}

test('beside a running server it finds nothing wrong but the root key that lies about, and leaves the lock alone', async () => {
  const { exitCode, levelOf, text } = await look(['--url', place.url])
  expect(exitCode).toBe(0)
  expect(levelOf('root-key-file')).toBe('warning')
  expect(levelOf('backup')).toBe('warning')
  expect(text).toContain('When the last backup was taken is not known here')
  for (const name of [
    'node',
    'file-permissions',
    'disk-space',
    'clock',
    'master-key',
    'database',
    'keys',
    'limits',
    'journal',
    'audit',
    'server',
  ]) {
    expect(levelOf(name), name).toBe('ok')
  }
  expect(text).toMatch(/Process \d+ has the data folder/)
  const second = await runIn(place.folder, ['start', '--port', '0'])
  expect(second.stderr).toContain('is in use by process')
})

test('warnings count as faults when that is asked for', async () => {
  expect((await look(['--strict'])).exitCode).toBe(1)
})

test('for people it prints a line a check', async () => {
  const { stdout } = await runIn(place.folder, ['doctor'])
  expect(stdout).toMatch(/^ok {7}clock: /m)
  expect(stdout).toMatch(/^warning {2}root-key-file: /m)
})

test('keys without an expiry or limits, and spare root keys, are found', async () => {
  await place.json(['keys', 'create', 'endless', '--permissions', 'a:b'])
  await place.json(['management-keys', 'create', 'endless', '--preset', 'auditor'])
  const { levelOf } = await look()
  expect(levelOf('keys')).toBe('warning')
  expect(levelOf('limits')).toBe('warning')
  expect(levelOf('management-keys')).toBe('warning')
})

test('files and folders that are open to others are found, and nothing of what is in them is shown', async () => {
  chmodSync(join(data, 'master-key'), 0o640)
  const file = await look()
  chmodSync(join(data, 'master-key'), 0o600)
  expect(file.exitCode).toBe(1)
  expect(file.levelOf('file-permissions')).toBe('fault')
  chmodSync(data, 0o755)
  expect((await look()).levelOf('folder-permissions')).toBe('fault')
  chmodSync(data, 0o700)
  const [name = ''] = readdirSync(join(data, 'journal'))
  const journal = join(data, 'journal')
  chmodSync(journal, 0o755)
  chmodSync(join(journal, name), 0o644)
  const { text } = await look()
  expect(text).toContain(`${journal} is open to others`)
  expect(text).toContain(`${join(journal, name)} is open to others`)
  chmodSync(journal, 0o700)
  chmodSync(join(journal, name), 0o600)
})

test('a journal that is missing, cut, damaged, foreign or newer than the database is found', async () => {
  const journal = join(data, 'journal')
  const kept = join(place.folder, 'kept-journal')
  const elsewhere = makeFolder()
  mkdirSync(join(elsewhere, 'claviger-data'), { mode: 0o700 })
  cpSync(join(data, 'master-key'), join(elsewhere, 'claviger-data/master-key'))
  const other = await startServer(elsewhere)
  for (let count = 0; count < 2; count++) {
    const { id } = await place.json(['keys', 'create', `revoked ${count}`, '--permissions', 'a:b'])
    await place.json(['keys', 'revoke', id])
  }
  const file = readdirSync(journal).at(-1) ?? ''
  const whole = readFileSync(join(journal, file))
  const write = (bytes: Uint8Array) => writeFileSync(join(journal, file), bytes, { mode: 0o600 })
  const damaged = Buffer.from(whole)
  damaged.writeUInt8(damaged.readUInt8(40) ^ 1, 40)
  for (const [spoil, detail] of [
    [() => {}, /There is no journal in .* take a backup/],
    [() => write(whole.subarray(0, whole.length - 200)), /ends before the database does/],
    [() => write(damaged), /is damaged at byte/],
    [
      () => cpSync(join(elsewhere, 'claviger-data/journal'), journal, { recursive: true }),
      /is of another installation/,
    ],
  ] as const) {
    renameSync(journal, kept)
    mkdirSync(journal, { mode: 0o700 })
    spoil()
    const found = await lookBack()
    rmSync(journal, { recursive: true })
    renameSync(kept, journal)
    expect(found.journal?.level).toBe('fault')
    expect(found.journal?.detail).toMatch(detail)
  }
  await other.remove()
  change('UPDATE installation SET commit_number = commit_number - 5, journaled = 0')
  const { journal: older } = await lookBack()
  change('UPDATE installation SET commit_number = commit_number + 5')
  expect(older?.level).toBe('fault')
  expect(older?.detail).toContain('it was put back by hand. Stop the server and run: claviger restore')
})

test('a backup that is named is examined: that it is whole, of this installation, and recent', async () => {
  const file = join(place.folder, 'monday')
  await place.json(['backup', file])
  const good = await look(['--backup', file])
  expect(good.levelOf('backup')).toBe('ok')
  for (const [days, level] of [
    [6, 'ok'],
    [8, 'warning'],
    [401, 'fault'],
  ] as const) {
    const { backup } = await lookBack({ backup: file, nowMs: Date.now() + days * 86_400_000 })
    expect(backup?.level, `${days} days`).toBe(level)
  }
  const { backup: missing } = await lookBack({ backup: `${file}-that-is-not-there` })
  expect(missing?.level).toBe('fault')
  const bytes = readFileSync(file)
  bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000)
  writeFileSync(file, bytes)
  const bad = await look(['--backup', file])
  expect(bad.levelOf('backup')).toBe('fault')
  expect(bad.text).toContain('is damaged')
  expect(bad.exitCode).toBe(1)
})

test('an audit that somebody rewrote is found, and where', async () => {
  change("UPDATE audit SET actor = 'nobody' WHERE project_id = 'default' AND sequence = 2")
  const { levelOf, text, exitCode } = await look()
  expect(levelOf('audit')).toBe('fault')
  expect(text).toContain('default: Entry 2 was altered')
  expect(exitCode).toBe(1)
})

test('a clock behind the last change is found', async () => {
  change('UPDATE installation SET last_commit_at_ms = last_commit_at_ms + 3600000')
  const { levelOf, exitCode } = await look()
  change('UPDATE installation SET last_commit_at_ms = last_commit_at_ms - 3600000')
  expect(levelOf('clock')).toBe('fault')
  expect(exitCode).toBe(1)
})

test('another master key, and one that is none, are found, and not shown', async () => {
  for (const text of ['A'.repeat(43), 'short-master-key']) {
    const found = await look([], { environment: { CLAVIGER_MASTER_KEY: text } })
    expect(found.levelOf('master-key')).toBe('fault')
    expect(found.text).not.toContain(text)
  }
})

test('a proxy list that believes everybody, and plain HTTP for all, are found', async () => {
  const proxies = await look([], { environment: { CLAVIGER_TRUST_PROXY: '10.0.0.1/32,0.0.0.0/0' } })
  expect(proxies.levelOf('trust-proxy')).toBe('fault')
  const plain = await look([], { environment: { CLAVIGER_INSECURE_HTTP: 'true' } })
  expect(plain.levelOf('plain-http')).toBe('warning')
})

test('a certificate that cannot be read is found', async () => {
  const file = join(place.folder, 'broken.pem')
  writeFileSync(file, 'no certificate', { mode: 0o600 })
  const found = await look([], { environment: { CLAVIGER_TLS_CERT: file, CLAVIGER_TLS_KEY: file } })
  expect(found.levelOf('certificate')).toBe('fault')
})

test('a server that does not answer is found', async () => {
  expect((await look(['--url', 'http://127.0.0.1:1'])).levelOf('server')).toBe('fault')
})

test('a database that is none is found', async () => {
  const folder = makeFolder()
  mkdirSync(join(folder, 'broken'), { mode: 0o700 })
  writeFileSync(join(folder, 'broken/claviger.db'), 'this is no database at all'.repeat(100), { mode: 0o600 })
  const found = await look(['--data', join(folder, 'broken')])
  rmSync(folder, { recursive: true })
  expect(found.levelOf('database')).toBe('fault')
  expect(found.exitCode).toBe(1)
})

test('without an installation and without a server it says what to name', async () => {
  const folder = makeFolder()
  const { exitCode, stderr } = await runIn(folder, ['doctor'])
  rmSync(folder, { recursive: true })
  expect(exitCode).toBe(1)
  expect(stderr).toContain('Name its folder with --data')
})

test('little room, a slow disk, a folder in memory and an old Node are told apart', () => {
  expect(judgeFreeBytes(1_000_000, '/data').level).toBe('fault')
  expect(judgeFreeBytes(500_000_000, '/data').level).toBe('warning')
  expect(judgeFreeBytes(50_000_000_000, '/data').level).toBe('ok')
  expect(judgeSync(80, false).level).toBe('warning')
  expect(judgeSync(0.01, true).level).toBe('fault')
  expect(judgeSync(2, false).level).toBe('ok')
  expect(checkNode('22.9.0').level).toBe('fault')
})
