import { expect, test } from 'vitest'
import { manualClock } from '../clock.ts'
import type { Refusals } from './record-refusals.ts'
import { RefusalRecorder, type RefusalRecorderOptions } from './refusal-recorder.ts'

/** A recorder, and what it had written, as a writer that can refuse sees it. */
function openRecorder() {
  const clock = manualClock(Date.UTC(2027, 0, 1))
  const written: Refusals[] = []
  const failures: unknown[] = []
  const disk = { full: false }
  const run: RefusalRecorderOptions['writer']['run'] = async (_name, args) => {
    if (disk.full) throw new Error('the disk is full')
    written.push(...(args as unknown as { refusals: Refusals[] }).refusals)
    return [] as never
  }
  const recorder = new RefusalRecorder({
    clock,
    writer: { run },
    onWritten: () => {},
    onFailure: (error) => failures.push(error),
  })
  const refuse = (keyId: string | null, address: string): void =>
    recorder.record({ keyId, reason: 'forbidden', call: 'GET /v1/keys', origin: { address } })
  const total = (): number => written.reduce((sum, { count }) => sum + count, 0)
  return { recorder, clock, written, failures, disk, refuse, total }
}

/** The nth of 65,536 addresses. */
function addressOf(n: number): string {
  return `198.18.${n >> 8}.${n & 0xff}`
}

test('a million calls from 65,536 addresses are 33 entries a minute, and none is lost from the count', async () => {
  const { recorder, clock, written, refuse, total } = openRecorder()
  for (let n = 0; n < 1_000_000; n++) refuse(null, addressOf(n & 0xffff))
  await recorder.flush()
  expect(written).toEqual([])
  clock.advance(60_000)
  await recorder.flush()
  expect(written).toHaveLength(33)
  expect(total()).toBe(1_000_000)
  expect(written.at(-1)).toMatchObject({ address: null, keyId: null })
})

test('a known key that calls on and on has twenty entries a minute and one that counts the rest', async () => {
  const { recorder, written, refuse, total } = openRecorder()
  for (let n = 0; n < 1000; n++) refuse('key_1', '192.0.2.1')
  await recorder.flush()
  expect(written).toHaveLength(20)
  await recorder.close()
  expect(written).toHaveLength(21)
  expect(written.at(-1)).toMatchObject({ keyId: 'key_1', count: 980, requestId: null })
  expect(total()).toBe(1000)
})

test('while the disk is full they are kept, within bounds, and written when there is room', async () => {
  const { recorder, clock, written, failures, disk, refuse, total } = openRecorder()
  disk.full = true
  for (let minute = 0; minute < 100; minute++) {
    for (let n = 0; n < 200; n++) refuse(null, addressOf(n))
    await recorder.flush()
    clock.advance(60_000)
  }
  expect(failures.length).toBeGreaterThan(0)
  expect(written).toEqual([])
  disk.full = false
  await recorder.close()
  expect(written.length).toBeLessThanOrEqual(2_001)
  expect(total()).toBe(20_000)
})

test('a clock that is set back loses nothing', async () => {
  const { recorder, clock, refuse, total } = openRecorder()
  refuse(null, '192.0.2.1')
  clock.advance(-86_400_000)
  refuse(null, '192.0.2.1')
  await recorder.close()
  expect(total()).toBe(2)
})
