import { expect, test } from 'vitest'
import { Remembered } from './remembered.ts'

test('a name is read once, and the oldest of them makes room', async () => {
  const remembered = new Remembered<number>(2)
  let readings = 0
  const get = (name: string): Promise<number> => remembered.get(name, async () => ++readings)
  expect([await get('a'), await get('b'), await get('a')]).toEqual([1, 2, 1])
  expect([await get('c'), await get('b'), await get('a')]).toEqual([3, 2, 4])
})

test('a reading that failed is begun again by the next who asks', async () => {
  const remembered = new Remembered<string>(2)
  await expect(remembered.get('a', () => Promise.reject(new Error('not now')))).rejects.toThrow('not now')
  expect(await remembered.get('a', async () => 'read')).toBe('read')
})
