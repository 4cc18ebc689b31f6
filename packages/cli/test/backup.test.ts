import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Place, runIn, startServer } from './command-line.ts'

let places: Place[] = []

afterEach(async () => {
  for (const place of places) await place.remove()
  places = []
})

async function start(folder?: string): Promise<Place> {
  const place = await startServer(folder)
  places.push(place)
  return place
}

test('B1: a backup is taken beside a server that writes, and restored without what was revoked since', async () => {
  const place = await start()
  const [kept, revoked] = await Promise.all([
    place.json(['keys', 'create', 'kept']),
    place.json(['keys', 'create', 'revoked']),
  ])
  const [taken] = await Promise.all([
    place.json(['backup', 'monday']),
    place.json(['keys', 'create', 'during']),
  ])
  expect(taken.heads.map(({ name }: { name: string }) => name)).toEqual(['claviger', 'default'])
  await place.run(['keys', 'revoke', revoked.id])

  const early = await place.run(['restore', 'monday'])
  expect(early).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('in use by process') })
  place.server.kill('SIGKILL')
  await place.ended
  const { exitCode, stdout } = await runIn(place.folder, ['restore', 'monday'])
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/^replayed +1 commits of the journal$/m)
  expect(stdout).toMatch(/^keys +in use$/m)

  const again = await start(place.folder)
  const verdicts = [kept, revoked].map(({ credential }) => again.run(['verify', '-'], { input: credential }))
  const [first, second] = await Promise.all(verdicts)
  expect(first?.exitCode).toBe(0)
  expect(second?.stdout).toMatch(/^revoked/)
}, 240_000)

test('B1: without a journal the loss is named, and accepted by that name alone', async () => {
  const place = await start()
  await place.json(['backup', 'monday'])
  place.server.kill('SIGKILL')
  await place.ended
  const rootKey = (): string => readFileSync(join(place.folder, 'lost/root-key'), 'utf8')
  const environment = {
    CLAVIGER_MASTER_KEY: readFileSync(join(place.folder, 'claviger-data/master-key'), 'utf8').trim(),
    CLAVIGER_DATA: 'lost',
  }
  const run = (...args: string[]) => runIn(place.folder, ['restore', ...args], { environment })
  const restored = await run('monday')
  expect(restored.stdout).toMatch(/^keys +suspended$/m)
  const since = /--accept-loss (\S+)/.exec(restored.stdout)?.[1] ?? ''
  expect(rootKey()).toMatch(/^clv_root_/)
  expect(restored.stdout).not.toContain(rootKey().trim())

  const wrong = await run('--accept-loss', '2020-01-01T00:00:00Z')
  expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(since) })
  expect((await run('--accept-loss', since)).stdout).toMatch(/^keys +in use$/m)
  expect(existsSync(join(place.folder, 'lost/master-key'))).toBe(false)
}, 240_000)
