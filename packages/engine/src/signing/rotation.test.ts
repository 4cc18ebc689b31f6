import { afterEach, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { type ManualClock, manualClock } from '../clock.ts'
import { createEngine, type Engine } from '../engine.ts'
import { PUBLISH_AHEAD_SECONDS } from './publication.ts'

const DAY_MS = 86_400_000
const AHEAD_MS = PUBLISH_AHEAD_SECONDS * 1000
const PERIOD_MS = 90 * DAY_MS
const START_MS = Date.parse('2027-01-01T00:00:00Z')
const AUDIENCE = 'https://api.example.com'

const open: Engine[] = []
afterEach(async () => {
  for (const engine of open.splice(0)) await engine.close()
})

interface Place {
  readonly clock: ManualClock
  readonly folder: string
}

function place(): Place {
  return { clock: manualClock(START_MS), folder: temporaryFolder() }
}

async function start({ clock, folder }: Place, acceptClock = false): Promise<Engine> {
  const problems: string[] = []
  const engine = await createEngine({
    database: `sqlite:${folder}/claviger.db`,
    clock,
    acceptClock,
    publicUrl: 'https://auth.example.com',
    log: ({ message, cause }) => problems.push(`${message} ${cause}`),
  })
  await engine.turnKeyrings()
  expect(problems).toEqual([])
  open.push(engine)
  return engine
}

async function stop(engine: Engine): Promise<void> {
  open.splice(open.indexOf(engine), 1)
  await engine.close()
}

/** Lets the time pass, and the engine do what it does each minute. */
async function pass(engine: Engine, { clock }: Place, ms: number): Promise<void> {
  clock.advance(ms)
  await engine.turnKeyrings()
}

async function statuses(engine: Engine): Promise<readonly string[]> {
  const { items } = await engine.project('default').signingKeys.list()
  return items.map(({ status }) => status).sort()
}

async function published(engine: Engine): Promise<readonly (string | undefined)[]> {
  return (await engine.project('default').jwks()).keys.map(({ kid }) => kid)
}

async function mint(engine: Engine, ttlSeconds = 86_400): Promise<{ credential: string; kid: string }> {
  const input = { subject: 'alice', audience: AUDIENCE, ttlSeconds }
  const { credential } = await engine.project('default').tokens.mint(input)
  const [header = ''] = credential.split('.')
  return { credential, kid: JSON.parse(Buffer.from(header, 'base64url').toString()).kid }
}

async function codeOf(engine: Engine, credential: string): Promise<string> {
  const require = { audience: AUDIENCE }
  const verdict = await engine.project('default').verify({ credential, require })
  return verdict.ok ? 'ok' : verdict.code
}

describe('rotation by schedule', () => {
  test('publishes, activates, keeps the former key until its last token has expired, and retires it', async () => {
    const here = place()
    const engine = await start(here)
    const [first] = await published(engine)

    await pass(engine, here, PERIOD_MS - AHEAD_MS - 1)
    expect(await statuses(engine)).toEqual(['active'])
    await pass(engine, here, 1)
    expect(await statuses(engine)).toEqual(['active', 'next'])
    expect((await mint(engine)).kid).toBe(first)
    const [, second] = await published(engine)

    await pass(engine, here, AHEAD_MS - 1)
    const last = await mint(engine)
    expect(last.kid).toBe(first)
    await pass(engine, here, 1)
    expect(await statuses(engine)).toEqual(['active', 'retiring'])
    expect((await mint(engine)).kid).toBe(second)

    await pass(engine, here, DAY_MS - 2_000)
    expect(await codeOf(engine, last.credential)).toBe('ok')
    await pass(engine, here, 2_000)
    expect(await codeOf(engine, last.credential)).toBe('expired')
    await pass(engine, here, 300_000)
    expect(await statuses(engine)).toEqual(['active', 'retired'])
    expect(await published(engine)).toEqual([second])
    expect(await codeOf(engine, last.credential)).toBe('unknown')
  })

  test('goes on after a restart in each of its states, and makes up for what was missed', async () => {
    const here = place()
    let engine = await start(here)
    const [first] = await published(engine)
    const restart = async (ms: number): Promise<void> => {
      await stop(engine)
      here.clock.advance(ms)
      engine = await start(here)
    }
    await restart(PERIOD_MS + 30 * DAY_MS)
    expect(await statuses(engine)).toEqual(['active', 'next'])
    expect((await mint(engine)).kid).toBe(first)
    await restart(AHEAD_MS - 1)
    expect(await statuses(engine)).toEqual(['active', 'next'])
    const { credential, kid } = await mint(engine)
    expect(kid).toBe(first)
    await restart(1)
    expect(await statuses(engine)).toEqual(['active', 'retiring'])
    expect(await codeOf(engine, credential)).toBe('ok')
    await restart(2 * DAY_MS)
    expect(await statuses(engine)).toEqual(['active', 'retired'])
  })

  test('is not confused by a clock that is set back, nor by one that runs ahead and returns', async () => {
    const here = place()
    const engine = await start(here)
    await pass(engine, here, PERIOD_MS)
    expect(await statuses(engine)).toEqual(['active', 'next'])
    await pass(engine, here, -DAY_MS)
    await pass(engine, here, -PERIOD_MS)
    expect(await statuses(engine)).toEqual(['active', 'next'])
    const { credential } = await mint(engine)
    expect(await codeOf(engine, credential)).toBe('ok')
    await pass(engine, here, PERIOD_MS + DAY_MS + AHEAD_MS)
    expect(await statuses(engine)).toEqual(['active', 'retiring'])
  })

  test('starts with a clock far behind, where the operator accepts it, and keeps its active key', async () => {
    const here = place()
    const engine = await start(here)
    await pass(engine, here, PERIOD_MS)
    await stop(engine)
    here.clock.advance(-PERIOD_MS)
    const again = await start(here, true)
    expect(await statuses(again)).toEqual(['active', 'next'])
    const { credential } = await mint(again)
    expect(await codeOf(again, credential)).toBe('ok')
  })

  test('follows the period that the project sets, and stops where it sets none', async () => {
    const here = place()
    const engine = await start(here)
    const { signingKeys } = engine.project('default')
    await signingKeys.setSchedule({ periodSeconds: 86_400 })
    await pass(engine, here, DAY_MS)
    await pass(engine, here, AHEAD_MS)
    expect(await statuses(engine)).toEqual(['active', 'retiring'])
    await signingKeys.setSchedule({ periodSeconds: null })
    await pass(engine, here, 10 * PERIOD_MS)
    expect(await statuses(engine)).toEqual(['active', 'retired'])
    for (const periodSeconds of [0, 86_399, 1e12, '90d']) {
      await expect(signingKeys.setSchedule({ periodSeconds })).rejects.toMatchObject({
        code: 'invalid_request',
      })
    }
  })

  test('is one for each algorithm', async () => {
    const here = place()
    const engine = await start(here)
    here.clock.advance(DAY_MS)
    const project = engine.project('default')
    await project.tokens.mint({ subject: 'alice', audience: AUDIENCE, algorithm: 'ES256' })
    await pass(engine, here, PERIOD_MS - DAY_MS)
    const { items } = await project.signingKeys.list({ status: 'next' })
    expect(items).toMatchObject([{ algorithm: 'RS256' }])
    await pass(engine, here, DAY_MS)
    expect((await project.signingKeys.list({ status: 'next' })).items).toMatchObject([{ algorithm: 'ES256' }])
  })
})

describe('rotation by hand', () => {
  test('publishes, says when it takes over, and does', async () => {
    const here = place()
    const engine = await start(here)
    const { signingKeys } = engine.project('default')
    const next = await signingKeys.rotate()
    expect(next).toMatchObject({
      status: 'next',
      activatesAt: new Date(START_MS + AHEAD_MS).toISOString(),
      activatedAt: null,
    })
    here.clock.advance(60_000)
    expect(await signingKeys.rotate()).toEqual(next)
    await pass(engine, here, AHEAD_MS - 60_000 - 1)
    expect((await mint(engine)).kid).not.toBe(next.id)
    await pass(engine, here, 1)
    expect((await mint(engine)).kid).toBe(next.id)
  })

  test('takes effect at once where the next key was published ahead', async () => {
    const here = place()
    const engine = await start(here)
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
    const here = place()
    const engine = await start(here)
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
