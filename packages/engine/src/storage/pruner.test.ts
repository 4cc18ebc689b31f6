import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { codeOf, openTestInstallation, START_MS, type TestInstallation } from '../../test/installation.ts'
import { openSessions, type SessionPlace } from '../../test/sessions.ts'
import type { Commands } from '../commands/registry.ts'
import { type Period, periodEndMs, periodStartMs } from '../limits/period.ts'
import type { ReserveUnitsArgs } from '../limits/reserve-units.ts'
import { createRevocation } from '../revocation/create-revocation.ts'
import { readSession } from '../sessions/read-session.ts'
import { revokeSession } from '../sessions/revoke-session.ts'
import { Pruner } from './pruner.ts'

const SECOND_MS = 1000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

let installation: TestInstallation
let sessions: SessionPlace
let pruner: Pruner
/** The pruning commands that ran, in order. */
let ran: (keyof Commands)[]
let nowMs = START_MS

beforeAll(async () => {
  installation = await openTestInstallation()
  sessions = await openSessions(installation)
  pruner = new Pruner({
    writer: {
      run: (name, ...rest) => {
        ran.push(name)
        return installation.writer.run(name, ...rest)
      },
    },
    onFailure: (error) => {
      throw error
    },
  })
})
afterAll(async () => {
  await pruner.close()
  await installation.close()
})

/** Each test begins where everything of the one before is over and forgotten. */
beforeEach(async () => {
  nowMs += 1000 * DAY_MS
  installation.clock.set(nowMs)
  ran = []
  await pruner.prune()
  ran = []
})

async function rowsOf(table: 'sessions' | 'refresh_tokens' | 'limit_counters'): Promise<number> {
  const { held } = await installation.reader
    .selectFrom(table)
    .select(({ fn }) => fn.countAll<number>().as('held'))
    .executeTakeFirstOrThrow()
  return held
}

describe('a session', () => {
  const TIMES = { ttlSeconds: 7200, idleSeconds: 3600, accessTtlSeconds: 900 }

  test('is forgotten a day after its last token, with all its refresh tokens, and no sooner (V7)', async () => {
    const first = await sessions.begin(sessions.newSubject(), TIMES)
    installation.clock.advance(3000 * SECOND_MS)
    const second = await sessions.refresh(first)
    installation.clock.set(Date.parse(second.refreshExpiresAt) + DAY_MS)
    await pruner.prune()
    expect(await sessions.stateOf(second)).toBe('expired')
    expect([await rowsOf('sessions'), await rowsOf('refresh_tokens')]).toEqual([1, 2])
    installation.clock.advance(1)
    await pruner.prune()
    expect(await codeOf(readSession(sessions.scope, first.id))).toBe('not_found')
    expect([await rowsOf('sessions'), await rowsOf('refresh_tokens')]).toEqual([0, 0])
    expect(await codeOf(sessions.refresh(second))).toBe('session_ended')
  })

  test('that lives is kept as it is, however many others are forgotten', async () => {
    const old = await Promise.all(
      Array.from({ length: 20 }, () => sessions.begin(sessions.newSubject(), TIMES)),
    )
    installation.clock.advance(30 * HOUR_MS)
    const first = await sessions.begin(sessions.newSubject())
    const second = await sessions.refresh(first)
    await pruner.prune()
    for (const { id } of old) expect(await codeOf(readSession(sessions.scope, id))).toBe('not_found')
    expect(await sessions.outcome(await sessions.refresh(second))).toBe('ok')
  })

  test('that was ended stays refused while any token of it may live, and after it is forgotten', async () => {
    const subject = sessions.newSubject()
    const first = await sessions.begin(subject, { accessTtlSeconds: DAY_MS / SECOND_MS })
    await revokeSession(sessions.scope, first.id, { reason: 'lost laptop' })
    installation.clock.advance(DAY_MS - SECOND_MS)
    await pruner.prune()
    expect(await sessions.outcome(first)).toBe('revoked')
    expect(await readSession(sessions.scope, first.id)).toMatchObject({ endReason: 'lost laptop' })
    installation.clock.set(Date.parse(first.refreshExpiresAt) + DAY_MS + 1)
    await pruner.prune()
    expect(await rowsOf('sessions')).toBe(0)
    const rules = installation.reader.selectFrom('revocations').select('id').where('target', '=', first.id)
    expect(await rules.execute()).toHaveLength(1)
    // Behind a clock that was ahead the access token has time left again, and is refused all the same.
    installation.clock.set(nowMs + SECOND_MS)
    expect(await sessions.outcome(first)).toBe('revoked')
  })

  test('that is over still ends for a refresh token that is reused or revoked, until it is forgotten (S1)', async () => {
    const reused = await sessions.begin(sessions.newSubject(), TIMES)
    await sessions.refresh(await sessions.refresh(reused))
    const revoked = await sessions.begin(sessions.newSubject(), TIMES)
    installation.clock.advance(HOUR_MS + DAY_MS)
    await pruner.prune()
    expect(await codeOf(sessions.refresh(reused))).toBe('refresh_token_reused')
    await createRevocation(
      { ...sessions.scope, identifyToken: () => Promise.reject(new Error('no token')) },
      {
        credential: revoked.refreshToken,
      },
    )
    expect(await Promise.all([reused, revoked].map(sessions.stateOf))).toEqual(['ended', 'ended'])
  })

  test('with more refresh tokens than a command forgets goes step by step, and a crash in between loses nothing', async () => {
    const lasting = await sessions.begin(sessions.newSubject())
    const { id } = await sessions.begin(sessions.newSubject(), TIMES)
    const sqlite = new DatabaseSync(`${installation.folder}/claviger.db`)
    sqlite.exec(`WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
      INSERT INTO refresh_tokens SELECT 'digest-' || i, '${id}', i, 1 FROM n`)
    sqlite.close()
    installation.clock.advance(27 * HOUR_MS)
    const run = () => installation.writer.run('prune-sessions', null, { kind: 'installation' })
    expect(await run()).toEqual({ more: true })
    expect(await rowsOf('refresh_tokens')).toBe(151)
    expect(await sessions.stateOf({ ...lasting, id })).toBe('expired')
    await pruner.prune()
    expect(await rowsOf('refresh_tokens')).toBe(1)
    expect(ran.filter((name) => name === 'prune-sessions')).toHaveLength(2)
    expect(await sessions.outcome(await sessions.refresh(lasting))).toBe('ok')
  })
})

describe('a counted limit', () => {
  const PERIODS: readonly Period[] = [
    { kind: 'window', seconds: 3600 },
    { kind: 'calendar', refill: 'hourly' },
    { kind: 'calendar', refill: 'daily' },
    { kind: 'calendar', refill: 'monthly' },
    { kind: 'calendar', refill: null },
  ]

  function reserve(period: Period, units: number, holder = 'key_1') {
    const args: ReserveUnitsArgs = {
      projectId: 'default',
      holderKind: 'key',
      holder,
      name: 'limit',
      period,
      limit: 1_000_000,
      units,
    }
    return installation.writer.run('reserve-units', args, { kind: 'installation' })
  }

  test('is forgotten a day after its period has ended, and one without refill never', async () => {
    const month = Date.parse('2040-01-01T00:00:00Z')
    for (const period of PERIODS) {
      installation.clock.set(Math.max(month, nowMs))
      const { endMs } = await reserve(period, 5)
      const held = await rowsOf('limit_counters')
      installation.clock.set((endMs ?? nowMs + 10_000 * DAY_MS) + DAY_MS)
      await pruner.prune()
      expect(await rowsOf('limit_counters')).toBe(held)
      installation.clock.advance(1)
      await pruner.prune()
      expect(await rowsOf('limit_counters')).toBe(endMs === null ? held : held - 1)
      nowMs = installation.clock.nowMs()
    }
    expect((await reserve({ kind: 'calendar', refill: null }, 0)).reserved).toBe(5)
  })

  test('is granted the same, whenever and however often others are forgotten (Q2)', async () => {
    const step = fc.oneof(
      fc.record({ period: fc.constantFrom(...PERIODS), units: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ advanceMs: fc.constantFrom(1, HOUR_MS, DAY_MS, DAY_MS + HOUR_MS, 31 * DAY_MS) }),
      fc.constant('prune' as const),
    )
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const holder = `key_of_run_${run++}`
        const counted = new Map<Period, { startMs: number; reserved: number }>()
        for (const one of steps) {
          if (one === 'prune') await pruner.prune()
          else if ('advanceMs' in one) installation.clock.advance(one.advanceMs)
          else {
            const at = installation.clock.nowMs()
            const known = counted.get(one.period)
            const isOpen = known !== undefined && at < periodEndMs(one.period, known.startMs)
            const startMs = isOpen ? known.startMs : periodStartMs(one.period, at)
            const reserved = (isOpen ? known.reserved : 0) + one.units
            counted.set(one.period, { startMs, reserved })
            expect(await reserve(one.period, one.units, holder)).toMatchObject({ startMs, reserved })
          }
        }
      }),
      { numRuns: 50 },
    )
    nowMs = installation.clock.nowMs()
  })

  test('of a thousand holders is forgotten in several commands, each of which is short', async () => {
    await Promise.all(
      Array.from({ length: 1100 }, (_, i) => reserve({ kind: 'window', seconds: 3600 }, 1, `k${i}`)),
    )
    const before = await rowsOf('limit_counters')
    installation.clock.advance(26 * HOUR_MS)
    await pruner.prune()
    expect(await rowsOf('limit_counters')).toBe(before - 1100)
    expect(ran.filter((name) => name === 'prune-limit-counters')).toHaveLength(12)
  })
})

test('with nothing to forget each look ends after one command, and finds that out by an index', async () => {
  await pruner.prune()
  expect(ran).toEqual(['prune-sessions', 'prune-limit-counters'])
  const sqlite = new DatabaseSync(`${installation.folder}/claviger.db`, {
    readOnly: true,
  })
  const plan = (sql: string) => JSON.stringify(sqlite.prepare(`EXPLAIN QUERY PLAN ${sql}`).all())
  const bySession =
    'SELECT id FROM sessions WHERE refresh_until_ms < 1 AND tokens_until_ms < 1 ORDER BY refresh_until_ms LIMIT 2'
  expect(plan(bySession)).toContain('sessions_by_end')
  const byEnd = 'SELECT holder FROM limit_counters WHERE ends_at_ms < 1 ORDER BY ends_at_ms LIMIT 2'
  expect(plan(byEnd)).toContain('limit_counters_by_end')
  expect(plan(`DELETE FROM refresh_tokens WHERE session_id IN ('a')`)).toContain('refresh_tokens_by_session')
  sqlite.close()
})
