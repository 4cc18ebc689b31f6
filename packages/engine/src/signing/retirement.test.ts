import { generateKeyPairSync } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { START_MS } from '../../test/installation.ts'
import {
  AUDIENCE,
  codeOfToken,
  type KeyringPlace,
  kidOf,
  mint,
  openKeyringPlace,
  publishedKids,
  statuses,
} from '../../test/keyring-place.ts'
import { openForReading } from '../storage/open-database.ts'
import { PUBLISH_AHEAD_SECONDS } from './publication.ts'

const AHEAD_MS = PUBLISH_AHEAD_SECONDS * 1000
const DAY_MS = 86_400_000

let here: KeyringPlace

beforeEach(async () => {
  here = await openKeyringPlace()
})
afterEach(() => here.close())

function retire(signingKeyId: string, reason?: string) {
  const input = { signingKeyId, ...(reason === undefined ? {} : { reason }) }
  return here.engine.project('default').revocations.create(input)
}

describe('an emergency retirement (V1)', () => {
  test('kills every token of the key at the next call, in every verifier of the process', async () => {
    const { engine } = here
    const seen = await mint(engine)
    const unseen = await mint(engine)
    const verifier = await engine.project('default').verifier({ audience: AUDIENCE })
    expect((await verifier.verify({ credential: seen.credential })).ok).toBe(true)
    expect(await codeOfToken(engine, seen.credential)).toBe('ok')

    await retire(seen.kid)
    for (const { credential } of [seen, unseen]) {
      expect(await codeOfToken(engine, credential)).toBe('unknown')
      expect(await verifier.verify({ credential })).toMatchObject({ ok: false, code: 'unknown' })
    }
    expect(await publishedKids(engine)).not.toContain(seen.kid)
    await here.restart(0)
    expect(await codeOfToken(here.engine, seen.credential)).toBe('unknown')
  })

  test('lets the next key sign at once, and makes one where there is none', async () => {
    const { engine } = here
    const { signingKeys } = engine.project('default')
    const [first = ''] = await publishedKids(engine)
    const next = await signingKeys.create({ algorithm: 'RS256' })
    await retire(first)
    const second = await mint(engine)
    expect(second.kid).toBe(next.id)
    await retire(second.kid)
    const third = await mint(engine)
    expect([first, second.kid]).not.toContain(third.kid)
    expect(await codeOfToken(engine, third.credential)).toBe('ok')
    expect(await statuses(engine)).toEqual(['active', 'retired', 'retired'])
  })

  test('says what it kills and until when, and who learns it later', async () => {
    const { engine } = here
    const { revocations } = engine.project('default')
    const [first = ''] = await publishedKids(engine)
    const receipt = await retire(first, 'stolen laptop')
    expect(receipt).toMatchObject({
      effective: true,
      verifiers: [],
      signingKey: {
        id: first,
        tokensUntil: new Date(START_MS + DAY_MS + 300_000).toISOString(),
        jwksUntil: new Date(START_MS + 300_000).toISOString(),
      },
    })
    here.clock.advance(60_000)
    expect(await revocations.read(receipt.id)).toEqual(receipt)
    expect((await revocations.list({ kind: 'signing-key' })).items).toMatchObject([
      { id: receipt.id, target: first, reason: 'stolen laptop', ban: false },
    ])
    await expect(revocations.lift(receipt.id)).rejects.toMatchObject({ code: 'invalid_request' })
  })

  test('of a next key kills nothing, and of a retiring one what is left of its tokens', async () => {
    const { engine } = here
    const { signingKeys } = engine.project('default')
    const { kid, credential } = await mint(engine)
    const unused = await signingKeys.create({ algorithm: 'RS256' })
    expect((await retire(unused.id)).signingKey).toMatchObject({ tokensUntil: null })
    expect(await codeOfToken(engine, credential)).toBe('ok')

    await signingKeys.rotate()
    await here.pass(AHEAD_MS)
    await here.pass(3_600_000)
    expect(await codeOfToken(engine, credential)).toBe('ok')
    expect((await retire(kid)).signingKey?.tokensUntil).toBe(
      new Date(START_MS + AHEAD_MS + DAY_MS + 300_000).toISOString(),
    )
    expect(await codeOfToken(engine, credential)).toBe('unknown')
  })

  test('of what is retired already has no effect, and answers a receipt again', async () => {
    const { engine } = here
    const { kid } = await mint(engine)
    await retire(kid)
    const signs = await mint(engine)
    expect((await retire(kid)).signingKey).toMatchObject({ id: kid })
    expect((await mint(engine)).kid).toBe(signs.kid)
    expect(await statuses(engine)).toEqual(['active', 'retired'])
  })

  test('takes no option that would have no effect, and no key of another project', async () => {
    const { engine } = here
    const { kid } = await mint(engine)
    for (const option of [{ ban: true }, { only: 'tokens' }, { keepIssued: true }]) {
      await expect(
        engine.project('default').revocations.create({ signingKeyId: kid, ...option }),
      ).rejects.toMatchObject({ code: 'invalid_request' })
    }
    await engine.projects().create({ name: 'other' })
    const other = engine.project('other').revocations
    await expect(other.create({ signingKeyId: kid })).rejects.toMatchObject({ code: 'not_found' })
    expect(await statuses(engine)).toEqual(['active'])
  })

  test('takes the private part out of the database, and cannot be undone by importing it again', async () => {
    const { engine } = here
    const { signingKeys } = engine.project('default')
    const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' })
    const key = await signingKeys.create({ algorithm: 'Ed25519', key: pem, status: 'active' })
    const database = openForReading(`${here.folder}/claviger.db`)
    const sealedBytes = async (): Promise<number | undefined> =>
      (
        await database.db
          .selectFrom('signing_keys')
          .select('private_sealed')
          .where('id', '=', key.id)
          .executeTakeFirst()
      )?.private_sealed.byteLength
    expect(await sealedBytes()).toBeGreaterThan(64)
    await retire(key.id)
    expect(await sealedBytes()).toBe(0)
    database.sqlite.close()
    for (const kid of [undefined, 'another']) {
      await expect(
        signingKeys.create({ algorithm: 'Ed25519', key: pem, ...(kid === undefined ? {} : { kid }) }),
      ).rejects.toMatchObject({ code: 'already_exists' })
    }
  })

  test('while others mint: no token is refused that they are given after it was acknowledged', async () => {
    const { engine } = here
    const { tokens, signingKeys } = engine.project('default')
    const input = { subject: 'alice', audience: AUDIENCE, algorithm: 'ES256' }
    const failures: string[] = []
    let running = true
    let given = 0
    let begun = 0
    let acknowledged = 0
    const minter = async (): Promise<void> => {
      while (running) {
        const { credential } = await tokens.mint(input)
        given++
        const before = begun
        const isQuiet = begun === acknowledged
        const code = await codeOfToken(engine, credential)
        if (code !== 'ok' && isQuiet && begun === before) failures.push(`${kidOf(credential)}: ${code}`)
      }
    }
    await tokens.mint(input)
    const minters = Array.from({ length: 8 }, minter)
    for (let round = 0; round < 40; round++) {
      const { items } = await signingKeys.list({ algorithm: 'ES256', status: 'active' })
      const target = given + 8
      while (given < target) await nextTurn()
      begun++
      await retire(items[0]?.id ?? '')
      acknowledged++
    }
    running = false
    await Promise.all(minters)
    expect(failures).toEqual([])
    expect(given).toBeGreaterThanOrEqual(320)
  })
})
