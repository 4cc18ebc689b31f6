import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PendingCalls } from './pending-calls.ts'

test('calls are found by their ids, in whatever order they are answered, and the oldest is known', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant('add' as const), fc.nat(20)), { maxLength: 200 }), (steps) => {
      const pending = new PendingCalls<number>()
      const model = new Map<string, number>()
      let made = 0
      for (const step of steps) {
        const id = step === 'add' ? `cmd_${made}` : ([...model.keys()][step] ?? 'cmd_none')
        if (step === 'add') {
          model.set(id, made)
          pending.add(id, made++)
        } else {
          expect(pending.take(id)).toBe(model.get(id))
          model.delete(id)
          expect(pending.take(id)).toBeUndefined()
        }
        expect(pending.size).toBe(model.size)
        expect(pending.oldest).toBe(model.values().next().value)
      }
      expect(pending.takeAll()).toEqual([...model.values()])
      expect([pending.size, pending.oldest]).toEqual([0, undefined])
    }),
  )
})

test('one that waits for long is found behind thousands that came and went', () => {
  const pending = new PendingCalls<number>()
  pending.add('slow', -1)
  for (let made = 0; made < 5_000; made++) pending.add(`cmd_${made}`, made)
  for (let made = 0; made < 4_999; made++) expect(pending.take(`cmd_${made}`)).toBe(made)
  expect([pending.size, pending.oldest]).toEqual([2, -1])
  expect(pending.take('slow')).toBe(-1)
  expect(pending.oldest).toBe(4_999)
  pending.add('last', 5_000)
  expect(pending.take('cmd_4999')).toBe(4_999)
  expect(pending.takeAll()).toEqual([5_000])
})
