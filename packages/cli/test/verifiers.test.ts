import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Place, startServer } from './command-line.ts'

let place: Place
let key: string

beforeAll(async () => {
  place = await startServer()
  key = (await place.json(['management-keys', 'create', 'edge', '--preset', 'edge'])).credential
})
afterAll(() => place.remove())

/** Asks for a lease, as a verifier in another process does. */
async function lease(applied: string): Promise<{ head: string }> {
  const answer = await fetch(`${place.url}/v1/changes/lease`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      verifier: { id: 'v'.repeat(16), name: 'orders-1' },
      nonce: 'n'.repeat(22),
      applied,
    }),
  })
  return (await answer.json()) as { head: string }
}

test('verifiers are listed, and a revocation names those that it waits for', async () => {
  const { head } = await lease('1-aaaaaaaa:0')
  await lease(head)
  const { stdout } = await place.run(['verifiers'])
  expect(stdout).toMatch(/^NAME +ADDRESS +POSITION +LAG +LEASE +LAST SEEN$/m)
  expect(stdout).toMatch(/^orders-1 +127\.0\.0\.1 +\S+ +0 +until \S+ +\S+$/m)

  const revoked = await place.run(['revoke', '--subject', 'ada', '--wait', '1'])
  expect(revoked.exitCode).toBe(1)
  expect(revoked.stdout).toContain('Revoked, but not applied yet by: orders-1')
})

test('a revocation is shown as effective when those who follow have applied it a moment later', async () => {
  const { head } = await lease('1-aaaaaaaa:0')
  await lease(head)
  const revoking = place.run(['revoke', '--subject', 'eve'])
  // What a verifier that follows the feed does as soon as it hears of the change.
  const reporting = setInterval(() => void lease('1-aaaaaaaa:0').then((told) => lease(told.head)), 50)
  const { exitCode, stdout } = await revoking
  clearInterval(reporting)
  expect(exitCode).toBe(0)
  expect(stdout).toContain('Revoked, and effective everywhere.')
})

test('who has not applied a revocation a moment later is named', async () => {
  const { head } = await lease('1-aaaaaaaa:0')
  await lease(head)
  // It goes on asking, and comes no further.
  const asking = setInterval(() => void lease(head), 500)
  const { exitCode, stdout } = await place.run(['revoke', '--subject', 'mallory'])
  clearInterval(asking)
  expect(exitCode).toBe(0)
  expect(stdout).toContain('Revoked, but not applied yet by: orders-1')
})

test('with --wait it returns once the lease of who is behind has run out', async () => {
  await lease((await lease('1-aaaaaaaa:0')).head)
  const { exitCode, stdout } = await place.run(['revoke', '--subject', 'bob', '--wait'])
  expect(exitCode).toBe(0)
  expect(stdout).toContain('Revoked, and effective everywhere.')
}, 60_000)
