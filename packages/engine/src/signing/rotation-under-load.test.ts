import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  AUDIENCE,
  codeOfToken,
  type KeyringPlace,
  kidOf,
  openKeyringPlace,
  publishedKids,
} from '../../test/keyring-place.ts'
import { PUBLISH_AHEAD_SECONDS } from './publication.ts'

const ROTATIONS = 60
const TTL_SECONDS = 3_600

let here: KeyringPlace

beforeAll(async () => {
  here = await openKeyringPlace()
})
afterAll(() => here.close())

test('a keyring rotated under load with no failed verification', async () => {
  const { engine } = here
  const { tokens, signingKeys } = engine.project('default')
  const input = { subject: 'alice', audience: AUDIENCE, algorithm: 'ES256', ttlSeconds: TTL_SECONDS }
  const verifier = await engine.project('default').verifier({ audience: AUDIENCE })
  const failures: string[] = []
  const signers = new Set<string>()
  let running = true
  let verified = 0

  const load = async (): Promise<void> => {
    while (running) {
      const { credential, expiresAt } = await tokens.mint(input)
      signers.add(kidOf(credential))
      const code = await codeOfToken(engine, credential)
      const elsewhere = await verifier.verify({ credential })
      const isAlive = here.clock.nowMs() < Date.parse(expiresAt)
      if (isAlive && code !== 'ok') failures.push(`${kidOf(credential)}: ${code}`)
      if (isAlive && !elsewhere.ok) failures.push(`${kidOf(credential)}: ${elsewhere.code} elsewhere`)
      // Whoever has fetched the JWKS after the token was minted knows its key.
      const keys = createLocalJWKSet(await engine.project('default').jwks())
      await jwtVerify(credential, keys, { currentDate: new Date(here.clock.nowMs()) }).catch(
        (error: Error) => isAlive && failures.push(`${kidOf(credential)}: jose, ${error.message}`),
      )
      verified++
    }
  }
  await tokens.mint(input)
  const first = await tokens.mint({ ...input, ttlSeconds: 86_400 })
  const loads = Array.from({ length: 6 }, load)
  for (let rotation = 0; rotation < ROTATIONS; rotation++) {
    await signingKeys.rotate({ algorithm: 'ES256' })
    await here.pass(PUBLISH_AHEAD_SECONDS * 1000)
    const target = verified + 6
    while (verified < target) await new Promise(setImmediate)
  }
  // Ten hours later the first token passes by the key that signed it, which has been retiring for nearly as long.
  expect(await codeOfToken(engine, first.credential)).toBe('ok')
  running = false
  await Promise.all(loads)

  expect(failures).toEqual([])
  expect(verified).toBeGreaterThanOrEqual(6 * ROTATIONS)
  expect(signers.size).toBeGreaterThan(ROTATIONS / 2)
  await here.pass(86_400_000 + 300_000)
  expect((await publishedKids(engine)).length).toBe(2)
})
