import { expect, test } from 'vitest'
import { Stopwatch } from './stopwatch.ts'

function startStopwatch() {
  const shown = { wallMs: 1_000_000, monotonicMs: 0 }
  const stopwatch = new Stopwatch({
    wallMs: () => shown.wallMs,
    monotonicMs: () => shown.monotonicMs,
    after: () => () => undefined,
  })
  const beganAtMs = stopwatch.readMs()
  return { shown, stopwatch, passedMs: () => stopwatch.readMs() - beganAtMs }
}

test('L2: tells the larger of what two clocks say, whichever was set back or stood still', () => {
  const { shown, passedMs } = startStopwatch()
  shown.wallMs += 3_000
  expect(passedMs()).toBe(3_000)
  shown.monotonicMs += 4_000
  shown.wallMs -= 3_600_000
  expect(passedMs()).toBe(4_000)
})

test('L2: what has passed up to a mark stays passed, when the clock that told it is set back', () => {
  const { shown, stopwatch, passedMs } = startStopwatch()
  shown.wallMs += 3_000
  stopwatch.mark()
  shown.wallMs -= 3_600_000
  expect(passedMs()).toBe(3_000)
  shown.monotonicMs += 2_000
  expect(passedMs()).toBe(5_000)
  stopwatch.mark()
  shown.monotonicMs += 1
  expect(passedMs()).toBe(5_001)
})
