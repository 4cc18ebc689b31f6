import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Place, runIn, startServer } from './command-line.ts'

let place: Place

beforeAll(async () => {
  place = await startServer()
  await place.json(['roles', 'put', 'reader', 'documents:read'])
  // What a spreadsheet takes for a formula.
  await place.json(['subjects', 'put', '=1+1', '--roles', 'reader'])
})
afterAll(() => place.remove())

test('entries are listed, and found by what they say', async () => {
  const { items } = await place.json(['audit', 'list', '--action', 'role.put', '--target', 'reader'])
  expect(items).toMatchObject([
    { action: 'role.put', target: 'reader', address: '127.0.0.1', outcome: 'done' },
  ])
  const { stdout } = await place.run(['audit', 'list', '--from', items[0].at])
  expect(stdout).toMatch(/^NUMBER +AT +ACTOR +ACTION +TARGET +OUTCOME +ADDRESS +DETAIL$/m)
  expect(stdout).toMatch(/^\d+ +20\S+ +key_\S+ +subject\.put +=1\+1 +done +127\.0\.0\.1 /m)
  const none = await place.json(['audit', 'list', '--to', '2020-01-01T00:00:00Z'])
  expect(none).toEqual({ items: [], nextCursor: null })
  expect(await place.json(['audit', 'list', '--outcome', 'refused'])).toMatchObject({ items: [] })
})

test('the chain is checked by the server, and beside it on the data folder', async () => {
  const online = await place.run(['audit', 'verify'])
  expect(online).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^result +intact$/m) })
  const offline = await place.json(['audit', 'verify', '--offline'])
  expect(offline.map(({ ok }: { ok: boolean }) => ok)).toEqual([true, true])
})

test('the key that checkpoints are checked with is shown', async () => {
  expect((await place.run(['audit', 'key'])).stdout).toMatch(/^-----BEGIN PUBLIC KEY-----\n/)
  expect(await place.json(['audit', 'key'])).toMatchObject({ algorithm: 'Ed25519' })
})

test('an export in NDJSON is checked later, as a whole or as it goes on; an altered one is found out', async () => {
  const whole = join(place.folder, 'audit.ndjson')
  writeFileSync(whole, (await place.run(['audit', 'export'])).stdout)
  const [report] = await place.json(['audit', 'verify', '--file', whole])
  expect(report).toMatchObject({ projectId: 'default', ok: true, fault: null })
  expect(report.entries).toBe(report.lastSequence)

  const { stdout: rest } = await place.run(['audit', 'export', '--after', '2'])
  const [partly] = await place.json(['audit', 'verify', '--file', '-'], { input: rest })
  expect(partly).toMatchObject({ ok: true, entries: report.entries - 2, lastSequence: report.lastSequence })

  const altered = readFileSync(whole, 'utf8').replace('"target":"reader"', '"target":"writer"')
  const found = await place.run(['audit', 'verify', '--file', '-'], { input: altered })
  expect(found).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^result +entry \d+: altered$/m) })
})

test('an export in CSV holds no formula', async () => {
  const { stdout } = await place.run(['audit', 'export', '--format', 'csv'])
  expect(stdout).toMatch(/^sequence,at,actor,action,target,.+,mac,checkpointAt,checkpointSignature$/m)
  expect(stdout).toMatch(/,subject\.put,'=1\+1,done,/)
})

test('pruning removes nothing of the last day, and says what it removed', async () => {
  const refused = await place.run(['audit', 'prune', '--before', new Date().toISOString()])
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('a day or more') })
  expect(await place.json(['audit', 'prune', '--before', '2020-01-01T00:00:00Z'])).toEqual({
    removed: 0,
    prunedThrough: null,
  })
})

test('the log of the server carries checkpoints, by which a cut is found, online and offline', async () => {
  const { folder, server } = place
  server.kill('SIGTERM')
  const log = (await place.ended).stdout
  expect(log).toContain('"msg":"audit checkpoint"')
  const check = (...options: readonly string[]) =>
    runIn(folder, ['audit', 'verify', '--checkpoint', '-', ...options], { input: log })
  expect(await check('--offline')).toMatchObject({ exitCode: 0 })

  const database = new DatabaseSync(join(folder, 'claviger-data/claviger.db'))
  database.exec("DELETE FROM audit WHERE project_id = 'default' AND sequence > 2; DELETE FROM audit_points")
  database.close()
  expect(await runIn(folder, ['audit', 'verify', '--offline'])).toMatchObject({ exitCode: 0 })
  const offline = await check('--offline', '--project', 'default')
  expect(offline).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(/^result +entry 3: truncated$/m),
  })

  place = await startServer(folder)
  const online = await place.run(['audit', 'verify', '--checkpoint', '-'], { input: log })
  expect(online).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^result +entry \d+: /m) })
  const forged = log.replaceAll(/"signature":"../g, '"signature":"00')
  const refused = await place.run(['audit', 'verify', '--checkpoint', '-'], { input: forged })
  expect(refused).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('forged-signature') })
  const nothing = await place.run(['audit', 'verify', '--checkpoint', '-'], { input: 'no log' })
  expect(nothing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('no audit checkpoint') })
})
