import { expect, test } from 'vitest'
import { manualClock, openClock, systemClock } from './clock.ts'

test('a manual clock stands still until it is told otherwise', () => {
  const clock = manualClock(1_000)
  expect(clock.nowMs()).toBe(1_000)
  clock.advance(250)
  expect(clock.nowMs()).toBe(1_250)
  clock.set(900)
  expect(clock.nowMs()).toBe(900)
})

test('a clock opened with a cloned handle is the same clock', () => {
  const clock = manualClock(1_000)
  const opened = openClock(structuredClone(clock.handle))
  clock.advance(5)
  expect(opened.nowMs()).toBe(1_005)
})

test('the system clock gives whole milliseconds of the epoch', () => {
  const beforeMs = Date.now()
  const nowMs = openClock(systemClock().handle).nowMs()
  expect(Number.isInteger(nowMs)).toBe(true)
  expect(nowMs).toBeGreaterThanOrEqual(beforeMs)
  expect(nowMs).toBeLessThanOrEqual(Date.now())
})
