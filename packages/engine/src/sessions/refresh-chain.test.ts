import fc from 'fast-check'
import { expect, test } from 'vitest'
import { codeOf, openTestInstallation } from '../../test/installation.ts'
import { openSessions } from '../../test/sessions.ts'
import { createRevocation } from '../revocation/create-revocation.ts'
import { judgeRefresh } from './judge-refresh.ts'
import { KEPT_EVERY, presentToken } from './refresh-chain.ts'
import type { SessionTokens } from './session-tokens.ts'

const SECOND_MS = 1000
const DAY_MS = 86_400_000
const IDLE_SECONDS = 3600

/** Uses the token that is so many places before the newest, or moves the clock. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ use: fc.constantFrom(0, 0, 0, 1, 1, 2) }) },
  {
    weight: 1,
    arbitrary: fc.record({ advanceMs: fc.constantFrom(1, 29_000, 30_001, 900_000, 3_600_000, -DAY_MS) }),
  },
)

test('S1: whatever is presented, in whatever order and however the clock jumps, a refresh is answered as the rules say', async () => {
  const installation = await openTestInstallation()
  const { begin, refresh, outcome } = await openSessions(installation)
  const { clock } = installation
  /** The latest time that a commit has shown, which a clock that is set back does not take back. */
  let shownMs = 0
  const commandTime = (): number => Math.max(clock.nowMs(), shownMs)

  const run = async (steps: readonly ({ use: number } | { advanceMs: number })[]): Promise<void> => {
    clock.set(commandTime())
    const first = await begin('alice', { idleSeconds: IDLE_SECONDS, algorithm: 'Ed25519' })
    shownMs = commandTime()
    const chain: SessionTokens[] = [first]
    let [replacedAtMs, refreshedAtMs, ended] = [0, shownMs, false]
    for (const one of steps) {
      if ('advanceMs' in one) {
        clock.advance(one.advanceMs)
        continue
      }
      const back = Math.min(one.use, chain.length - 1)
      const presented = chain[chain.length - 1 - back]
      if (presented === undefined) throw new Error('a chain has a newest token')
      const nowMs = commandTime()
      const expired = nowMs >= refreshedAtMs + IDLE_SECONDS * SECOND_MS
      const inGrace = back === 1 && nowMs - replacedAtMs <= 30 * SECOND_MS
      if (ended || (expired && (back === 0 || inGrace))) {
        expect(await codeOf(refresh(presented))).toBe('session_ended')
        continue
      }
      if (back > 0 && !inGrace) {
        expect(await codeOf(refresh(presented))).toBe('refresh_token_reused')
        ended = true
      } else {
        const answer = await refresh(presented)
        expect(answer.id).toBe(first.id)
        if (back === 1) expect(answer.refreshToken).toBe(chain.at(-1)?.refreshToken)
        else {
          expect(chain.map(({ refreshToken }) => refreshToken)).not.toContain(answer.refreshToken)
          chain.push(answer)
          replacedAtMs = nowMs
          refreshedAtMs = nowMs
        }
      }
      shownMs = nowMs
    }
    // Nothing of an ended session passes, and nothing of one that goes on is revoked.
    const outcomes = await Promise.all(chain.map(outcome))
    if (ended) expect(new Set(outcomes)).toEqual(new Set(['revoked']))
    else expect(outcomes).not.toContain('revoked')
  }
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), run), { numRuns: 60 })
  await installation.close()
}, 60_000)

test('S1: of a long chain few digests are kept, and each refresh token that ever was is known', async () => {
  const installation = await openTestInstallation()
  const { begin, refresh, outcome, scope, stateOf } = await openSessions(installation)
  const { clock } = installation
  const other = await begin('bob')

  const chainOf = async (length: number): Promise<SessionTokens[]> => {
    const chain = [await begin('alice', { algorithm: 'Ed25519' })]
    for (let last = chain[0]; last !== undefined && chain.length < length; ) {
      last = await refresh(last)
      chain.push(last)
    }
    return chain
  }
  const chain = await chainOf(3 * KEPT_EVERY + 20)
  const rows = await installation.reader
    .selectFrom('refresh_tokens')
    .select('generation')
    .where('session_id', '=', chain[0]?.id ?? '')
    .execute()
  expect(rows.length).toBe(2 + KEPT_EVERY + 20)

  for (const [index, { refreshToken, id }] of chain.entries()) {
    const presented = await presentToken(scope, refreshToken)
    const { session, step } = await judgeRefresh({ db: scope.reader, nowMs: clock.nowMs() }, presented)
    expect([session.id, step]).toEqual([
      id,
      index === chain.length - 1 ? 'rotate' : index === chain.length - 2 ? 'replay' : 'reuse',
    ])
  }
  const unknown = { refreshToken: installation.refreshTokens.first('ck') }
  expect(await codeOf(refresh(unknown))).toBe('session_ended')

  const [, second, , fourth] = chain
  if (second === undefined || fourth === undefined) throw new Error('the chain is longer')
  expect(await outcome(fourth)).toBe('ok')
  expect(await codeOf(refresh(second))).toBe('refresh_token_reused')
  expect(await outcome(fourth)).toBe('revoked')
  expect(await codeOf(refresh(fourth))).toBe('session_ended')

  // Possession is enough to end a session, also of one that was dropped.
  const [first, ...rest] = await chainOf(2 * KEPT_EVERY)
  if (first === undefined) throw new Error('a chain has a first token')
  const place = { ...scope, identifyToken: () => Promise.reject(new Error('it is no token')) }
  await createRevocation(place, { credential: first.refreshToken })
  expect(new Set(await Promise.all(rest.slice(-2).map(outcome)))).toEqual(new Set(['revoked']))
  expect(await stateOf(other)).toBe('active')
  await installation.close()
}, 30_000)
