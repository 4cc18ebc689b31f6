import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Turns } from '../turns.ts'
import { Gate } from './gate.ts'

test('so many are inside at once, and the others follow in their order as places become free', async () => {
  const gate = new Gate(new Turns(), 2)
  const begun: number[] = []
  for (let index = 0; index < 5; index++) gate.enter(() => begun.push(index))
  expect(begun).toEqual([])
  for (let turn = 0; turn < 9; turn++) await nextTurn()
  expect(begun).toEqual([0, 1])
  gate.leave()
  expect(begun).toEqual([0, 1])
  for (let turn = 0; turn < 9; turn++) await nextTurn()
  expect(begun).toEqual([0, 1, 2])
  for (let left = 0; left < 4; left++) gate.leave()
  for (let turn = 0; turn < 9; turn++) await nextTurn()
  expect(begun).toEqual([0, 1, 2, 3, 4])
  // All have left: there is room for two at once again, and not for three.
  for (let index = 5; index < 8; index++) gate.enter(() => begun.push(index))
  for (let turn = 0; turn < 9; turn++) await nextTurn()
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6])
})

test('those who enter together begin one a turn', async () => {
  const gate = new Gate(new Turns(), 10)
  const counts: number[] = []
  let begun = 0
  for (let index = 0; index < 3; index++) gate.enter(() => begun++)
  for (let turn = 0; turn < 4; turn++) {
    await nextTurn()
    counts.push(begun)
  }
  for (let index = 1; index < counts.length; index++) {
    expect((counts[index] ?? 0) - (counts[index - 1] ?? 0)).toBeLessThanOrEqual(1)
  }
  expect(begun).toBe(3)
})
