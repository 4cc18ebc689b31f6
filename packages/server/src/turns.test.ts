import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

test('of many that come at once one begins a turn of the event loop, in their order', async () => {
  const turns = new Turns()
  const begun: number[] = []
  for (let index = 0; index < 5; index++) turns.take(() => begun.push(index))
  expect(begun).toEqual([])
  for (let turn = 1; turn <= 5; turn++) {
    await nextTurn()
    expect(begun).toEqual([0, 1, 2, 3, 4].slice(0, turn))
  }
})

test('one that comes in the turn of another begins in the next, and so does one that comes after a rest', async () => {
  const turns = new Turns()
  const begun: string[] = []
  turns.take(() => {
    begun.push('first')
    turns.take(() => begun.push('from within'))
  })
  await nextTurn()
  expect(begun).toEqual(['first'])
  await nextTurn()
  expect(begun).toEqual(['first', 'from within'])
  await nextTurn()
  turns.take(() => begun.push('after a rest'))
  await nextTurn()
  await nextTurn()
  expect(begun).toEqual(['first', 'from within', 'after a rest'])
})
