import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBackup, systemClock } from '@claviger/engine'
import { expect, onTestFinished, test } from 'vitest'
import { type SourceChange, startServer } from './child-server.ts'

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-journal-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Dies in place of the statement, once the file stands there. */
function dieBefore(file: string, statement: string, marker: string): SourceChange {
  const fs = "process.getBuiltinModule('node:fs')"
  const die = `if (${fs}.existsSync(${JSON.stringify(marker)})) process.kill(process.pid, 'SIGKILL')`
  return { file, from: statement, to: `${die}\n${statement}` }
}

test('B1: a server killed between the journal and the commit has revoked at its next start, and nothing is lost', async () => {
  const folder = makeFolder()
  const data = join(folder, 'data')
  const marker = join(folder, 'die')
  const change = dieBefore(
    'engine/src/commands/run-batch.ts',
    "  sqlite.exec('COMMIT')\n  machine.journal.settle(commit)",
    marker,
  )
  const server = await startServer(data, { changes: [change] })
  const kept = (await server.call('POST', '/v1/keys', { name: 'kept' })).body
  const revoked = (await server.call('POST', '/v1/keys', { name: 'revoked' })).body
  writeFileSync(marker, '')
  await expect(server.call('POST', `/v1/keys/${revoked.id}/revoke`, {})).rejects.toThrow()
  await server.kill()
  const again = await startServer(data)
  try {
    expect(await again.verdict(kept.credential)).toBe('ok')
    expect(await again.verdict(revoked.credential)).toBe('revoked')
  } finally {
    await again.kill()
  }
}, 120_000)

test('B1: a restore that is killed has taken place as a whole or not at all', async () => {
  const folder = makeFolder()
  const data = join(folder, 'data')
  const backup = join(folder, 'backup')
  const server = await startServer(data)
  const revoked = (await server.call('POST', '/v1/keys', { name: 'revoked' })).body
  const database = `sqlite:${join(data, 'claviger.db')}`
  await createBackup({ database, file: backup, clock: systemClock() })
  const later = (await server.call('POST', '/v1/keys', { name: 'later' })).body
  await server.call('POST', `/v1/keys/${revoked.id}/revoke`, {})
  await server.stop()

  const marker = join(folder, 'die')
  writeFileSync(marker, '')
  const restore = (changes: readonly SourceChange[]) =>
    spawnSync(process.execPath, [new URL('./restore.ts', import.meta.url).pathname, data, backup], {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        NODE_OPTIONS: `--import=${new URL('./change-source.ts', import.meta.url).href}`,
        FAULT_SOURCE_CHANGES: JSON.stringify(changes),
      },
    })
  const places = [
    dieBefore('engine/src/backup/restore-backup.ts', '    syncFile(draft)', marker),
    dieBefore('engine/src/backup/replace-database.ts', '  renameSync(finished, databaseFile)', marker),
  ]
  for (const place of places) expect(restore([place]).signal).toBe('SIGKILL')
  const old = await startServer(data)
  expect(await old.verdict(revoked.credential)).toBe('revoked')
  expect(await old.verdict(later.credential)).toBe('ok')
  await old.stop()

  const { stdout, stderr } = restore([])
  expect(JSON.parse(stdout), stderr).toMatchObject({ suspended: false, replayed: 1 })
  const restored = await startServer(data)
  expect(await restored.verdict(revoked.credential)).toBe('revoked')
  expect(await restored.verdict(later.credential)).toBe('unknown')
  await restored.kill()
}, 240_000)
