import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { Stopwatch } from './stopwatch.ts'
import { TurnLease } from './turn-lease.ts'

const LEASE_MS = 5_000
const position = { epoch: '1-turnAAAA', number: 1 }

let wallMs = 0
let monotonicMs = 0
let monotonicLooks = 0
let stopwatch: Stopwatch
let lease: TurnLease

beforeEach(() => {
  wallMs = 1_800_000_000_000
  monotonicMs = 1_000
  const clock = {
    wallMs: () => wallMs,
    monotonicMs() {
      monotonicLooks++
      return monotonicMs
    },
    after: () => () => undefined,
  }
  stopwatch = new Stopwatch(clock)
  lease = new TurnLease(clock, stopwatch, true)
  grant()
})

function grant(): void {
  lease.grant({ untilMs: stopwatch.mark() + LEASE_MS, head: position })
  lease.promote(position)
}

/** Twice, for the second look of a millisecond is the one that holds. */
function lookTwice(graceMs = 0): void {
  expect([lease.runsAtMs(graceMs), lease.runsAtMs(graceMs)]).toEqual([wallMs, wallMs])
}

describe('one look at the monotonic clock holds (rule L2, decision 0032)', () => {
  test('within a turn, while the wall clock shows the same millisecond', () => {
    lookTwice()
    monotonicLooks = 0
    for (let call = 0; call < 100; call++) expect(lease.runsAtMs(0)).toBe(wallMs)
    expect(monotonicLooks).toBe(0)
  })

  test('not for one that asks once a millisecond', () => {
    for (let call = 0; call < 5; call++) {
      monotonicLooks = 0
      wallMs++
      expect(lease.runsAtMs(0)).toBe(wallMs)
      expect(monotonicLooks).toBe(1)
    }
  })
})

describe('it does not hold (rule L2)', () => {
  test('in the next turn: a process that was stopped, and a wall clock that was set back to the same millisecond', async () => {
    lookTwice()
    await nextTurn()
    monotonicMs += LEASE_MS
    expect(lease.runsAtMs(0)).toBeUndefined()
    expect(lease.runs()).toBe(false)
  })

  test('once the wall clock moves on: a machine that slept while its monotonic clock stood still', () => {
    lookTwice()
    wallMs += LEASE_MS
    expect(lease.runsAtMs(0)).toBeUndefined()
  })

  test('once the wall clock was set back', () => {
    lookTwice()
    wallMs -= 1
    monotonicMs += LEASE_MS
    expect(lease.runsAtMs(0)).toBeUndefined()
  })

  test('by clocks that come from outside, which somebody moves within a turn', () => {
    const given = { wallMs: () => wallMs, monotonicMs: () => monotonicMs, after: () => () => undefined }
    stopwatch = new Stopwatch(given)
    lease = new TurnLease(given, stopwatch)
    grant()
    lookTwice()
    monotonicMs += LEASE_MS
    expect(lease.runsAtMs(0)).toBeUndefined()
  })

  test('when the lease is dropped in that turn', () => {
    lookTwice()
    lease.drop()
    expect(lease.runsAtMs(0)).toBeUndefined()
  })

  test('for another grace: a server that can be asked again ends it (rule L4)', () => {
    wallMs += LEASE_MS
    lookTwice(60_000)
    expect(lease.runsAtMs(0)).toBeUndefined()
  })

  test('if the lease does not run: one that is granted in that turn counts at once', () => {
    lease.drop()
    for (let call = 0; call < 3; call++) expect(lease.runsAtMs(0)).toBeUndefined()
    grant()
    expect(lease.runsAtMs(0)).toBe(wallMs)
  })
})
