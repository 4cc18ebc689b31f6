import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Place, startServer } from './command-line.ts'

let place: Place

beforeAll(async () => {
  place = await startServer()
})
afterAll(() => place.remove())

test('a key is given limits, they are spent by cost, shown and taken away', async () => {
  const key = await place.json(
    ['keys', 'create', 'trial', '--limit', 'per-hour=10/1h', '--limit', 'burst=100/1s'].concat(
      '--quota',
      '1000/monthly',
    ),
  )
  expect(key).toMatchObject({
    limits: [
      { name: 'per-hour', limit: 10, windowSeconds: 3600 },
      { name: 'burst', limit: 100, windowSeconds: 1 },
    ],
    quota: { limit: 1000, refill: 'monthly' },
  })
  const verify = (...more: string[]) =>
    place.run(['verify', '-', ...more], { input: key.credential }).catch((failure) => failure)
  expect((await verify('--cost', '8')).stdout).toMatch(
    /left +per-hour \(of the key\): 2 of 10, full again in/,
  )
  expect((await verify('--cost', '3')).stdout).toMatch(/^rate_limited: .*Try again in [0-9]+ s\.\n/)
  expect((await verify('--cost', '0')).stdout).toMatch(/quota \(of the key\): 992 of 1000/)
  const { stdout } = await place.run(['keys', 'read', key.id])
  expect(stdout).toMatch(/limit +per-hour: 10 in 3600 s/)
  expect(stdout).toMatch(/quota +1000, monthly/)
  const cleared = await place.json(['keys', 'change', key.id, '--clear', 'limits,quota'])
  expect(cleared).toMatchObject({ limits: [], quota: null })
})

test('a subject is given limits, which a change keeps or replaces', async () => {
  await place.json(['subjects', 'put', 'acme', '--limit', 'per-day=500/1d', '--quota', '50'])
  expect(await place.json(['subjects', 'change', 'acme', '--quota', '60/daily'])).toMatchObject({
    limits: [{ name: 'per-day', limit: 500, windowSeconds: 86_400 }],
    quota: { limit: 60, refill: 'daily' },
  })
})

test.each([
  ['--limit', 'per-minute=100'],
  ['--limit', '100/60s'],
  ['--limit', 'per-minute=100/60'],
  ['--quota', '100/weekly'],
  ['--quota', '-1'],
])('%s %s is a mistake of usage, and says how to write it', async (option, value) => {
  const failure = await place.run(['keys', 'create', 'x', `${option}=${value}`]).catch((error) => error)
  expect(failure.stderr).toMatch(/Write (name=units\/window|units\/refill), as in /)
})
