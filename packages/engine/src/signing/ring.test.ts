import { describe, expect, test } from 'vitest'
import { PUBLISH_AHEAD_SECONDS } from './publication.ts'
import { activationOf, type PublicKeyRow, planRing, retirementOf, ringOf } from './ring.ts'

const DAY_SECONDS = 86_400
const PERIOD_SECONDS = 30 * DAY_SECONDS
const AHEAD_MS = PUBLISH_AHEAD_SECONDS * 1000
const DUE_MS = PERIOD_SECONDS * 1000

/** A key that was made at the time 0. */
function key(row: Partial<PublicKeyRow>): PublicKeyRow {
  return {
    id: 'key',
    project_id: 'default',
    algorithm: 'RS256',
    status: 'active',
    public_jwk: '{}',
    created_at_ms: 0,
    activate_at_ms: null,
    activated_at_ms: null,
    superseded_at_ms: null,
    tokens_until_ms: null,
    retired_at_ms: null,
    ...row,
  }
}

const active = key({ id: 'active', activated_at_ms: 0 })

function plan(rows: readonly PublicKeyRow[], nowMs: number, periodSeconds: number | null = PERIOD_SECONDS) {
  return planRing(ringOf(rows), { periodSeconds, nowMs })
}

describe('a ring', () => {
  test('is published ahead of its rotation by a JWKS max-age and five minutes, and not before', () => {
    expect(PUBLISH_AHEAD_SECONDS).toBe(600)
    expect(plan([active], DUE_MS - AHEAD_MS - 1).prepare).toBe(false)
    expect(plan([active], DUE_MS - AHEAD_MS).prepare).toBe(true)
  })

  test('is rotated when it is due, to the millisecond', () => {
    const next = key({ id: 'next', status: 'next', created_at_ms: DUE_MS - AHEAD_MS })
    expect(plan([active, next], DUE_MS - 1)).toEqual({ retire: [], activate: undefined, prepare: false })
    expect(plan([active, next], DUE_MS).activate).toBe(next)
  })

  test('that missed its time publishes first all the same', () => {
    const late = DUE_MS + 7 * DAY_SECONDS * 1000
    expect(plan([active], late)).toEqual({ retire: [], activate: undefined, prepare: true })
    const next = key({ id: 'next', status: 'next', created_at_ms: late })
    expect(plan([active, next], late + AHEAD_MS - 1).activate).toBeUndefined()
    expect(plan([active, next], late + AHEAD_MS).activate).toBe(next)
  })

  test('without a schedule waits for a person, who cannot skip the publication either', () => {
    const idle = key({ id: 'next', status: 'next' })
    expect(plan([active], Number.MAX_SAFE_INTEGER, null).prepare).toBe(false)
    expect(plan([active, idle], Number.MAX_SAFE_INTEGER, null).activate).toBeUndefined()
    expect(activationOf(ringOf([active, idle]), null)).toBeNull()
    const wanted = key({ ...idle, activate_at_ms: 1 })
    expect(activationOf(ringOf([active, wanted]), null)).toBe(AHEAD_MS)
  })

  test('in which nothing signs waits for the publication of its first key alone', () => {
    const next = key({ id: 'next', status: 'next', created_at_ms: 5 })
    expect(activationOf(ringOf([next]), null)).toBe(5 + AHEAD_MS)
    expect(plan([], Number.MAX_SAFE_INTEGER).prepare).toBe(false)
  })

  test('at a clock that was set back owes nothing', () => {
    const next = key({ id: 'next', status: 'next', created_at_ms: DUE_MS })
    const former = key({ id: 'former', status: 'retiring', superseded_at_ms: DUE_MS })
    const nothing = { retire: [], activate: undefined, prepare: false }
    expect(plan([active, next, former], -DUE_MS)).toEqual(nothing)
  })
})

describe('a key that signs no more', () => {
  const former = key({ id: 'former', status: 'retiring', superseded_at_ms: 0 })
  const lastTokenMs = (DAY_SECONDS + 300) * 1000

  test('is kept until its last token has expired, and five minutes', () => {
    expect(plan([former], lastTokenMs - 1).retire).toEqual([])
    expect(plan([former], lastTokenMs).retire).toEqual([former])
  })

  test('is kept longer where it was imported with tokens that live longer', () => {
    expect(retirementOf(key({ ...former, tokens_until_ms: DUE_MS }))).toBe(DUE_MS)
    expect(retirementOf(key({ ...former, tokens_until_ms: 1 }))).toBe(lastTokenMs)
  })
})
