import { expect, test } from 'vitest'
import { addressGroup } from './address-group.ts'
import { GuessThrottle } from './guess-throttle.ts'

function makeThrottle(limits: Partial<ConstructorParameters<typeof GuessThrottle>[0]> = {}) {
  const time = { nowMs: 0 }
  const throttle = new GuessThrottle(
    { burst: 3, refillMs: 1_000, maxAddresses: 100, ...limits },
    () => time.nowMs,
  )
  return { throttle, time }
}

test('as many failures as the burst pass, then one in each refill', () => {
  const { throttle, time } = makeThrottle()
  const count = () => throttle.countFailure('192.0.2.1')
  expect([count(), count(), count(), count()]).toEqual([0, 0, 0, 1])
  time.nowMs += 1_000
  expect([count(), count()]).toEqual([0, 1])
})

test('who goes on guessing while it is refused does not have to wait longer for it', () => {
  const { throttle, time } = makeThrottle()
  for (let index = 0; index < 1_000; index++) throttle.countFailure('192.0.2.1')
  time.nowMs += 1_000
  expect(throttle.countFailure('192.0.2.1')).toBe(0)
})

test('100,000 addresses take the memory of as many as are remembered', () => {
  const { throttle } = makeThrottle({ maxAddresses: 1_000 })
  for (let index = 0; index < 100_000; index++) {
    throttle.countFailure(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`)
  }
  expect(throttle.size).toBe(1_000)
})

test('who failed last is remembered while others come and go', () => {
  const { throttle } = makeThrottle({ maxAddresses: 10 })
  for (let index = 0; index < 50; index++) {
    throttle.countFailure('192.0.2.1')
    throttle.countFailure(`198.51.100.${index}`)
  }
  expect(throttle.countFailure('192.0.2.1')).toBeGreaterThan(0)
})

test.each([
  ['192.0.2.1', '::ffff:192.0.2.1', true],
  ['192.0.2.1', '::FFFF:C000:0201', true],
  ['2001:db8::1', '2001:0DB8:0:0:ffff::', true],
  ['2001:db8::1', '2001:db8:0:1::1', false],
  ['192.0.2.1', '192.0.2.2', false],
  ['unknown', '', true],
  ['192.0.2.1', '192.0.2.01', false],
])('%s and %s are one caller: %s', (one, other, same) => {
  expect(addressGroup(one) === addressGroup(other)).toBe(same)
})
