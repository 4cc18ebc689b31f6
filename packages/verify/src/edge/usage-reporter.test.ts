import { expect, test } from 'vitest'
import type { UseCount } from '../verifier/use-counts.ts'
import type { EdgeTransport } from './edge-transport.ts'
import { UsageReporter } from './usage-reporter.ts'

const USE: UseCount = {
  kind: 'key',
  keyId: 'key_1',
  subject: 'user_1',
  outcome: 'ok',
  tags: '[]',
  ip: '',
  count: 1,
  atMs: 0,
}

test('nothing is left waiting after the end, though the time for a report came while the last one was on its way', async () => {
  const timers = new Set<() => void>()
  const clock = {
    wallMs: () => 0,
    monotonicMs: () => 0,
    after(_ms: number, act: () => void) {
      timers.add(act)
      return () => void timers.delete(act)
    },
  }
  function fire(): void {
    for (const act of [...timers]) {
      timers.delete(act)
      act()
    }
  }
  const sent: PromiseWithResolvers<void>[] = []
  const transport = {
    reportUsage() {
      const answer = Promise.withResolvers<void>()
      sent.push(answer)
      return answer.promise
    },
  } as unknown as EdgeTransport
  const left = [[USE], [USE]]
  const reporter = new UsageReporter({
    transport,
    clock,
    verifierId: 'v1',
    randomId: () => 'b1',
    take: () => left.shift() ?? [],
  })

  reporter.start()
  fire()
  const closing = reporter.close()
  // The one that was on its way, then the last one; whatever waits may come due before each answer.
  for (const answer of [0, 1]) {
    await expect.poll(() => sent.length).toBe(answer + 1)
    fire()
    sent[answer]?.resolve()
  }
  await closing
  await new Promise(setImmediate)

  expect(sent).toHaveLength(2)
  expect(timers.size).toBe(0)
})
