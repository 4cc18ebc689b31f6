import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Place, startServer } from './command-line.ts'

const FORMULA = '=HYPERLINK(1)'

let place: Place
let keyId: string

beforeAll(async () => {
  place = await startServer()
  const key = await place.json(['keys', 'create', 'used', '--permissions', 'a:b', '--subject', FORMULA])
  keyId = key.id
  for (const permissions of ['a:b', 'a:b', 'c:d']) {
    const options = ['--permissions', permissions, '--ip', '192.0.2.7']
    await place.run(['verify', '-', ...options], { input: key.credential })
  }
  await place.json(['tokens', 'mint', 'ada', '--audience', 'https://api.example.com'])
  const counted = async (): Promise<number> =>
    (await place.json(['usage', '--event', 'mint', '--by', 'subject'])).items.length
  while ((await counted()) === 0) await setTimeout(200)
}, 60_000)
afterAll(() => place.remove())

test('usage is shown by what was asked for, in that order', async () => {
  const { stdout, exitCode } = await place.run(['usage', '--key', keyId, '--by', 'outcome,ip'])
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/^OUTCOME +IP +COUNT$/m)
  expect(stdout).toMatch(/^ok +192\.0\.2\.7 +2$/m)
  expect(stdout).toMatch(/^insufficient_permissions +192\.0\.2\.7 +1$/m)
})

test('the busiest come first, and no more than were asked for', async () => {
  const { items, nextCursor } = await place.json(['usage', '--by', 'outcome', '--top', '1', '--key', keyId])
  expect(items).toEqual([{ outcome: 'ok', count: 2 }])
  expect(nextCursor).toBeNull()
})

test('all of it is written as CSV, in which no formula runs, and as NDJSON', async () => {
  const options = ['usage', '--by', 'subject,outcome', '--key', keyId]
  const csv = await place.run([...options, '--format', 'csv', '--limit', '1'])
  expect(csv.stdout).toBe(
    `subject,outcome,count\r\n'${FORMULA},insufficient_permissions,1\r\n'${FORMULA},ok,2\r\n`,
  )
  const ndjson = await place.run([...options, '--format', 'ndjson'])
  expect(
    ndjson.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { subject: FORMULA, outcome: 'insufficient_permissions', count: 1 },
    { subject: FORMULA, outcome: 'ok', count: 2 },
  ])
})

test('a key says when and from where it was last used', async () => {
  expect(await place.json(['keys', 'read', keyId])).toMatchObject({
    lastUsedAt: expect.any(String),
    lastUsedFrom: '192.0.2.7',
  })
  const { stdout } = await place.run(['keys', 'read', keyId])
  expect(stdout).toMatch(/^last used from +192\.0\.2\.7$/m)
})

test('a group that does not exist is refused with those that do', async () => {
  const { exitCode, stderr } = await place.run(['usage', '--by', 'secret'])
  expect(exitCode).toBe(1)
  expect(stderr).toContain('key, subject, outcome')
})
