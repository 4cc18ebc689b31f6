import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { START_MS } from '../../test/installation.ts'
import {
  AUDIENCE,
  codeOfToken,
  type KeyringPlace,
  mint,
  openKeyringPlace,
  publishedKids,
  statuses,
} from '../../test/keyring-place.ts'
import { PUBLISH_AHEAD_SECONDS } from './publication.ts'

const DAY_MS = 86_400_000
const AHEAD_MS = PUBLISH_AHEAD_SECONDS * 1000
const PERIOD_MS = 90 * DAY_MS

let here: KeyringPlace

beforeEach(async () => {
  here = await openKeyringPlace()
})
afterEach(() => here.close())

describe('rotation by schedule', () => {
  test('publishes, activates, keeps the former key until its last token has expired, and retires it', async () => {
    const { engine } = here
    const [first] = await publishedKids(engine)

    await here.pass(PERIOD_MS - AHEAD_MS - 1)
    expect(await statuses(engine)).toEqual(['active'])
    await here.pass(1)
    expect(await statuses(engine)).toEqual(['active', 'next'])
    expect((await mint(engine)).kid).toBe(first)
    const [, second] = await publishedKids(engine)

    await here.pass(AHEAD_MS - 1)
    const last = await mint(engine)
    expect(last.kid).toBe(first)
    await here.pass(1)
    expect(await statuses(engine)).toEqual(['active', 'retiring'])
    expect((await mint(engine)).kid).toBe(second)

    await here.pass(DAY_MS - 2_000)
    expect(await codeOfToken(engine, last.credential)).toBe('ok')
    await here.pass(2_000)
    expect(await codeOfToken(engine, last.credential)).toBe('expired')
    await here.pass(300_000)
    expect(await statuses(engine)).toEqual(['active', 'retired'])
    expect(await publishedKids(engine)).toEqual([second])
    expect(await codeOfToken(engine, last.credential)).toBe('unknown')
  })

  test('goes on after a restart in each of its states, and makes up for what was missed', async () => {
    const [first] = await publishedKids(here.engine)
    await here.restart(PERIOD_MS + 30 * DAY_MS)
    expect(await statuses(here.engine)).toEqual(['active', 'next'])
    expect((await mint(here.engine)).kid).toBe(first)
    await here.restart(AHEAD_MS - 1)
    expect(await statuses(here.engine)).toEqual(['active', 'next'])
    const { credential, kid } = await mint(here.engine)
    expect(kid).toBe(first)
    await here.restart(1)
    expect(await statuses(here.engine)).toEqual(['active', 'retiring'])
    expect(await codeOfToken(here.engine, credential)).toBe('ok')
    await here.restart(2 * DAY_MS)
    expect(await statuses(here.engine)).toEqual(['active', 'retired'])
  })

  test('is not confused by a clock that is set back, nor by one that runs ahead and returns', async () => {
    const { engine } = here
    await here.pass(PERIOD_MS)
    expect(await statuses(engine)).toEqual(['active', 'next'])
    await here.pass(-DAY_MS)
    await here.pass(-PERIOD_MS)
    expect(await statuses(engine)).toEqual(['active', 'next'])
    const { credential } = await mint(engine)
    expect(await codeOfToken(engine, credential)).toBe('ok')
    await here.pass(PERIOD_MS + DAY_MS + AHEAD_MS)
    expect(await statuses(engine)).toEqual(['active', 'retiring'])
  })

  test('starts with a clock far behind, where the operator accepts it, and keeps its active key', async () => {
    await here.pass(PERIOD_MS)
    await here.restart(-PERIOD_MS, { acceptClock: true })
    expect(await statuses(here.engine)).toEqual(['active', 'next'])
    const { credential } = await mint(here.engine)
    expect(await codeOfToken(here.engine, credential)).toBe('ok')
  })

  test('follows the period that the project sets, and stops where it sets none', async () => {
    const { engine } = here
    const { signingKeys } = engine.project('default')
    await signingKeys.setSchedule({ periodSeconds: 86_400 })
    await here.pass(DAY_MS)
    await here.pass(AHEAD_MS)
    expect(await statuses(engine)).toEqual(['active', 'retiring'])
    await signingKeys.setSchedule({ periodSeconds: null })
    await here.pass(10 * PERIOD_MS)
    expect(await statuses(engine)).toEqual(['active', 'retired'])
    for (const periodSeconds of [0, 86_399, 1e12, '90d']) {
      await expect(signingKeys.setSchedule({ periodSeconds })).rejects.toMatchObject({
        code: 'invalid_request',
      })
    }
  })

  test('is one for each algorithm', async () => {
    const { engine } = here
    here.clock.advance(DAY_MS)
    const project = engine.project('default')
    await project.tokens.mint({ subject: 'alice', audience: AUDIENCE, algorithm: 'ES256' })
    await here.pass(PERIOD_MS - DAY_MS)
    const { items } = await project.signingKeys.list({ status: 'next' })
    expect(items).toMatchObject([{ algorithm: 'RS256' }])
    await here.pass(DAY_MS)
    expect((await project.signingKeys.list({ status: 'next' })).items).toMatchObject([{ algorithm: 'ES256' }])
  })
})

describe('rotation by hand', () => {
  test('publishes, says when it takes over, and does', async () => {
    const { engine } = here
    const { signingKeys } = engine.project('default')
    const next = await signingKeys.rotate()
    expect(next).toMatchObject({
      status: 'next',
      activatesAt: new Date(START_MS + AHEAD_MS).toISOString(),
      activatedAt: null,
    })
    here.clock.advance(60_000)
    expect(await signingKeys.rotate()).toEqual(next)
    await here.pass(AHEAD_MS - 60_000 - 1)
    expect((await mint(engine)).kid).not.toBe(next.id)
    await here.pass(1)
    expect((await mint(engine)).kid).toBe(next.id)
  })

  test('takes effect at once where the next key was published ahead', async () => {
    const { engine } = here
    const { signingKeys } = engine.project('default')
    const next = await signingKeys.create({ algorithm: 'RS256' })
    expect(next).toMatchObject({
      status: 'next',
      activatesAt: new Date(START_MS + PERIOD_MS).toISOString(),
    })
    here.clock.advance(AHEAD_MS)
    expect(await signingKeys.rotate()).toMatchObject({ id: next.id, status: 'active', activatesAt: null })
    expect((await mint(engine)).kid).toBe(next.id)
  })

  test('of many at one time gives one next key, and one active one', async () => {
    const { engine } = here
    const { signingKeys } = engine.project('default')
    const nexts = await Promise.all(Array.from({ length: 8 }, () => signingKeys.rotate()))
    expect(new Set(nexts.map(({ id }) => id)).size).toBe(1)
    here.clock.advance(AHEAD_MS)
    const rotate = () => signingKeys.rotate().catch(() => undefined)
    await Promise.all([engine.turnKeyrings(), ...Array.from({ length: 8 }, rotate)])
    const after = await statuses(engine)
    expect(after.filter((status) => status === 'active')).toHaveLength(1)
    expect(after.filter((status) => status === 'next').length).toBeLessThanOrEqual(1)
  })
})
