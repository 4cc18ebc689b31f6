import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Check, Level } from '../src/doctor/check.ts'
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

function change(sql: string): void {
  const database = new DatabaseSync(join(data, 'claviger.db'))
  database.exec(sql)
  database.close()
}

test('beside a running server it finds nothing wrong but the root key that lies about, and leaves the lock alone', async () => {
  const { exitCode, levelOf, text } = await look(['--url', place.url])
  expect(exitCode).toBe(0)
  expect(levelOf('root-key-file')).toBe('warning')
  for (const name of [
    'node',
    'file-permissions',
    'disk-space',
    'clock',
    'master-key',
    'database',
    'keys',
    'limits',
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
