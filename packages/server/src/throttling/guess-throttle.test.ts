import { expect, test } from 'vitest'
import { addressGroups } from './address-group.ts'
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
  expect(addressGroups(one).own === addressGroups(other).own).toBe(same)
})

test('the networks of one /48 share a count besides, as large as that of eight addresses', () => {
  const { throttle } = makeThrottle()
  const fail = (network: number) => throttle.countFailure(`2001:db8:1:${network.toString(16)}::1`)
  for (let network = 0; network < 24; network++) expect(fail(network)).toBe(0)
  expect(fail(9_999)).toBeGreaterThan(0)
  expect(throttle.countFailure('2001:db8:2:1::1')).toBe(0)
})

test('one /64 that is slowed does not slow the rest of its /48', () => {
  const { throttle } = makeThrottle()
  for (let index = 0; index < 1_000; index++) throttle.countFailure('2001:db8:1:1::1')
  expect(throttle.countFailure('2001:db8:1:2::1')).toBe(0)
})

test('who is slowed is not forgotten for a crowd of addresses that fail once each', () => {
  const { throttle } = makeThrottle({ maxAddresses: 100 })
  for (let index = 0; index < 4; index++) throttle.countFailure('192.0.2.1')
  for (let index = 0; index < 10_000; index++) {
    throttle.countFailure(`10.0.${index >> 8}.${index & 255}`)
  }
  expect(throttle.countFailure('192.0.2.1')).toBeGreaterThan(0)
})

test('an attacker with a /48 cannot make another forgotten with its 65,536 networks', () => {
  const { throttle } = makeThrottle({ maxAddresses: 100 })
  for (let index = 0; index < 4; index++) throttle.countFailure('192.0.2.1')
  let passed = 0
  for (let network = 0; network < 65_536; network++) {
    if (throttle.countFailure(`2001:db8:1:${network.toString(16)}::1`) === 0) passed++
  }
  expect(passed).toBe(24)
  expect(throttle.countFailure('192.0.2.1')).toBeGreaterThan(0)
})

test('who has waited long enough makes room before anybody else, and a crowd that is slowed leaves room', () => {
  const { throttle, time } = makeThrottle({ maxAddresses: 100 })
  for (let address = 0; address < 200; address++) {
    for (let index = 0; index < 4; index++) throttle.countFailure(`10.0.0.${address}`)
  }
  const count = () => throttle.countFailure('192.0.2.1')
  expect([count(), count(), count()]).toEqual([0, 0, 0])
  expect(count()).toBeGreaterThan(0)
  time.nowMs += 3_000
  expect([count(), count(), count()]).toEqual([0, 0, 0])
  expect(throttle.size).toBe(100)
})

test("a flood of one project's clients makes no other project forget its own", () => {
  const { throttle } = makeThrottle({ maxAddresses: 100 })
  throttle.countFailure('192.0.2.1', 'quiet')
  throttle.countFailure('192.0.2.1', 'quiet')
  throttle.countFailure('192.0.2.1', 'quiet')
  for (let address = 0; address < 5_000; address++) {
    for (let index = 0; index < 4; index++) {
      throttle.countFailure(`10.0.${address >> 8}.${address & 255}`, 'flooded')
    }
  }
  expect(throttle.countFailure('192.0.2.1', 'quiet')).toBeGreaterThan(0)
  expect(throttle.size).toBe(100)
})
