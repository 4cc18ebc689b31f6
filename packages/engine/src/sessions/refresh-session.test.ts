import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { codeOf, openTestInstallation, START_MS, type TestInstallation } from '../../test/installation.ts'
import { openSessions, type SessionPlace } from '../../test/sessions.ts'
import { listAuditEntries } from '../audit/list-entries.ts'
import { putSubject } from '../subjects/put-subject.ts'
import { readSession } from './read-session.ts'
import { revokeSession } from './revoke-session.ts'

const SECOND_MS = 1000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

let installation: TestInstallation
let sessions: SessionPlace
let nowMs = START_MS

beforeAll(async () => {
  installation = await openTestInstallation()
  sessions = await openSessions(installation)
})
afterAll(() => installation.close())

/** No test before has seen this time: the clock that one leaves behind does not reach another. */
beforeEach(() => {
  nowMs += 1000 * DAY_MS
  installation.clock.set(nowMs)
})

describe('S1: a refresh token that is used again', () => {
  test('within the grace brings the very same successor, as long as that is unused', async () => {
    const first = await sessions.begin(sessions.newSubject())
    const second = await sessions.refresh(first)
    installation.clock.advance(30 * SECOND_MS)
    const again = await sessions.refresh(first)
    expect(again.refreshToken).toBe(second.refreshToken)
    expect(again.refreshExpiresAt).toBe(second.refreshExpiresAt)
    expect(await Promise.all([second, again].map(sessions.outcome))).toEqual(['ok', 'ok'])
    expect(await sessions.outcome(await sessions.refresh(second))).toBe('ok')
  })

  test('after the grace ends the session and all that was issued in it', async () => {
    const first = await sessions.begin(sessions.newSubject(), { roles: ['reader'] })
    const other = await sessions.begin(sessions.newSubject())
    const second = await sessions.refresh(first)
    installation.clock.advance(30 * SECOND_MS + 1)
    expect(await codeOf(sessions.refresh(first))).toBe('refresh_token_reused')
    expect(await Promise.all([first, second, other].map(sessions.outcome))).toEqual([
      'revoked',
      'revoked',
      'ok',
    ])
    expect(await codeOf(sessions.refresh(second))).toBe('session_ended')
    expect(await codeOf(sessions.refresh(first))).toBe('session_ended')
    expect(await readSession(sessions.scope, first.id)).toMatchObject({
      state: 'ended',
      endReason: 'refresh token reused',
    })
    const [entry] = (await listAuditEntries(sessions.scope, { limit: 200 })).items.filter(
      ({ action, target }) => action === 'session.reuse' && target === first.id,
    )
    expect(entry).toBeDefined()
  })

  test('within the grace, but after its successor was used, ends the session', async () => {
    const first = await sessions.begin(sessions.newSubject())
    const third = await sessions.refresh(await sessions.refresh(first))
    expect(await codeOf(sessions.refresh(first))).toBe('refresh_token_reused')
    expect(await sessions.outcome(third)).toBe('revoked')
  })

  test('is found out even while its subject is disabled, and after the session has expired', async () => {
    for (const [what, prepare] of [
      ['disabled', (subject: string) => putSubject(sessions.scope, subject, { disabled: true })],
      ['expired', async () => installation.clock.advance(9 * DAY_MS)],
    ] as const) {
      const subject = sessions.newSubject()
      const first = await sessions.begin(subject)
      await sessions.refresh(await sessions.refresh(first))
      await prepare(subject)
      expect(await codeOf(sessions.refresh(first)), what).toBe('refresh_token_reused')
      expect(await sessions.stateOf(first)).toBe('ended')
    }
  })

  test('cannot be made up: a successor is known to nobody without the key of the project', async () => {
    const { refreshTokens } = installation
    const first = refreshTokens.first('ck')
    expect(refreshTokens.successor('default', first)).toBe(refreshTokens.successor('default', first))
    expect(refreshTokens.successor('default', first)).not.toBe(refreshTokens.successor('other', first))
    const foreign = await openTestInstallation()
    expect(foreign.refreshTokens.successor('default', first)).not.toBe(
      refreshTokens.successor('default', first),
    )
    await foreign.close()
  })
})

describe('S2: one authority decides', () => {
  test('50 refreshes of one token at once get one successor, and 50 access tokens that pass', async () => {
    const first = await sessions.begin(sessions.newSubject())
    const answers = await Promise.all(Array.from({ length: 50 }, () => sessions.refresh(first)))
    expect(new Set(answers.map(({ refreshToken }) => refreshToken)).size).toBe(1)
    expect(new Set(answers.map(({ accessToken }) => accessToken)).size).toBe(50)
    expect(new Set(await Promise.all(answers.map(sessions.outcome)))).toEqual(new Set(['ok']))
    const rows = await installation.reader
      .selectFrom('refresh_tokens')
      .selectAll()
      .where('session_id', '=', first.id)
      .execute()
    expect(rows).toHaveLength(2)
  })
})

describe('the life of a session', () => {
  test('is bounded by idleness, which a refresh puts off, and by its end, which nothing puts off', async () => {
    const limits = { ttlSeconds: 3000, idleSeconds: 1000, accessTtlSeconds: 900 }
    const first = await sessions.begin(sessions.newSubject(), limits)
    installation.clock.advance(999 * SECOND_MS)
    const second = await sessions.refresh(first)
    installation.clock.advance(999 * SECOND_MS)
    const third = await sessions.refresh(second)
    installation.clock.advance(999 * SECOND_MS)
    const last = await sessions.refresh(third)
    // R4: what is derived lives no longer than its parent.
    expect(last.expiresAt).toBe(new Date(nowMs + 3000 * SECOND_MS).toISOString())
    expect(last.refreshExpiresAt).toBe(last.expiresAt)
    installation.clock.advance(3 * SECOND_MS)
    expect(await codeOf(sessions.refresh(last))).toBe('session_ended')
    expect(await sessions.outcome(last)).toBe('expired')

    const idle = await sessions.begin(sessions.newSubject(), limits)
    installation.clock.advance(1000 * SECOND_MS)
    expect(await codeOf(sessions.refresh(idle))).toBe('session_ended')
    expect(await sessions.stateOf(idle)).toBe('expired')
  })

  test('is not brought back by a clock that is set back a day, nor is what was reused or ended', async () => {
    const ended = await sessions.begin(sessions.newSubject())
    const reused = await sessions.begin(sessions.newSubject())
    const expired = await sessions.begin(sessions.newSubject(), { idleSeconds: 60 })
    await revokeSession(sessions.scope, ended.id)
    await sessions.refresh(await sessions.refresh(reused))
    installation.clock.advance(DAY_MS)
    expect(await codeOf(sessions.refresh(reused))).toBe('refresh_token_reused')
    // A commit has shown this time.
    installation.clock.set(nowMs - DAY_MS)
    for (const tokens of [ended, reused, expired]) {
      expect(await codeOf(sessions.refresh(tokens))).toBe('session_ended')
    }
  })

  test('is not cut short by a clock that is set back: a lost answer can still be had again', async () => {
    const first = await sessions.begin(sessions.newSubject())
    const second = await sessions.refresh(first)
    installation.clock.set(nowMs - DAY_MS)
    expect((await sessions.refresh(first)).refreshToken).toBe(second.refreshToken)
    const third = await sessions.refresh(second)
    expect(third.refreshToken).not.toBe(second.refreshToken)
    expect(await codeOf(sessions.refresh(first))).toBe('refresh_token_reused')
  })

  test('survives a clock that was ahead for a while: it was refused then, and not ended', async () => {
    const first = await sessions.begin(sessions.newSubject())
    installation.clock.advance(60 * DAY_MS)
    expect(await codeOf(sessions.refresh(first))).toBe('session_ended')
    installation.clock.set(nowMs + SECOND_MS)
    expect(await sessions.outcome(await sessions.refresh(first))).toBe('ok')
  })
})
