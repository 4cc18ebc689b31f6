import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { createEngine } from '../create-engine.ts'
import type { Engine } from '../engine.ts'

async function open(): Promise<{ engine: Engine; file: string }> {
  const file = join(temporaryFolder(), 'claviger.db')
  const engine = await createEngine({ database: `sqlite:${file}`, log: () => {} })
  return { engine, file }
}

test('a node is degraded while changes wait for the disk, and ready once they are stored', {
  timeout: 30_000,
}, async () => {
  const { engine, file } = await open()
  onTestFinished(() => engine.close())
  expect(await engine.readiness()).toEqual({ status: 'ready', problems: [] })
  const other = new DatabaseSync(file)
  onTestFinished(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const put = engine.project('default').roles.put('reader', { permissions: ['a:b'] })
  await expect
    .poll(() => engine.readiness(), { timeout: 10_000, interval: 100 })
    .toEqual({ status: 'degraded', problems: ['writer_behind'] })
  other.exec('ROLLBACK')
  await put
  expect(await engine.readiness()).toEqual({ status: 'ready', problems: [] })
})

test('a node whose writer thread and database are gone is unavailable, and says so without throwing', async () => {
  const { engine } = await open()
  await engine.close()
  expect(await engine.readiness()).toEqual({
    status: 'unavailable',
    problems: ['writer_stopped', 'database_unreadable'],
  })
})
