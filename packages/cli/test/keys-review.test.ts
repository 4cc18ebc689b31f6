import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Place, startServer } from './command-line.ts'

let place: Place

beforeAll(async () => {
  place = await startServer()
  const year = new Date(Date.now() + 365 * 86_400_000).toISOString()
  const week = new Date(Date.now() + 5 * 86_400_000).toISOString()
  const limit = ['--limit', 'burst=10/1s']
  await place.json(['keys', 'create', 'fine', '--permissions', 'a:b', '--expires-at', year, ...limit])
  await place.json(['keys', 'create', 'broad', '--permissions', '*:*', '--expires-at', year])
  await place.json(['keys', 'create', 'soon', '--permissions', 'a:b', '--expires-at', week])
  await place.json(['keys', 'create', 'endless', '--permissions', 'a:b'])
})
afterAll(() => place.remove())

async function names(...options: string[]): Promise<string[]> {
  const page = await place.json(['keys', 'list', ...options])
  return page.items.map(({ name }: { name: string }) => name)
}

test('keys are listed by what is the matter with them', async () => {
  expect(await names('--over-broad')).toEqual(['broad'])
  expect(await names('--expiring', '7d')).toEqual(['soon'])
  expect(await names('--unlimited')).toEqual(['broad', 'soon', 'endless'])
  expect(await names('--never-expires')).toEqual(['endless'])
  expect(await names('--never-used')).toEqual(['fine', 'broad', 'soon', 'endless'])
  expect(await names('--never-used', '--unused', '1d')).toEqual([])
  expect(await names('--not-rotated', '0d', '--over-broad')).toEqual(['broad'])
  expect(await names('--not-rotated', '90d')).toEqual([])
})

test('a duration without its unit is refused with what to write', async () => {
  const { exitCode, stderr } = await place.run(['keys', 'list', '--expiring', '7'])
  expect(exitCode).toBe(2)
  expect(stderr).toContain('such as 30d')
})

test('a review names every kind, with its keys and what to do', async () => {
  const { findings } = await place.json(['keys', 'review', '--unused', '0d', '--expiring', '7d'])
  const found = Object.fromEntries(
    findings.map(({ name, keys }: { name: string; keys: { name: string }[] }) => [
      name,
      keys.map((key) => key.name),
    ]),
  )
  expect(found).toEqual({
    'over-broad': ['broad'],
    'never-expires': ['endless'],
    unlimited: ['broad', 'soon', 'endless'],
    'never-used': ['fine', 'broad', 'soon', 'endless'],
    unused: [],
    'not-rotated': [],
    expiring: ['soon'],
    expired: [],
  })
  const { stdout } = await place.run(['keys', 'review'])
  expect(stdout).toMatch(/^over-broad \(1\): an action on every resource; /m)
  expect(stdout).toMatch(/^ {2}key_\S+ +broad /m)
  expect(stdout).not.toContain('never-used')
})

test('a review that is cut short says so', async () => {
  const { stdout } = await place.run(['keys', 'review', '--unused', '0d', '--limit', '2'])
  expect(stdout).toMatch(/^never-used \(2 or more\): never used; /m)
})
